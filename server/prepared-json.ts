/** A reply whose JSON was written elsewhere: the dispatch sends it as it stands, and nobody here parses it. */
export class PreparedJson {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

/** A reply that callers get as a `T`, written as `fields` and after them those of the object in `json`. */
export function prepareReply<T>(fields: Partial<T>, json: string): T {
  const head = JSON.stringify(fields);
  const joined = head === "{}" ? json : `${head.slice(0, -1)},${json.slice(1)}`;
  // What arrives at the caller is a T; on its way through the service nothing looks into it.
  return new PreparedJson(joined) as unknown as T;
}
