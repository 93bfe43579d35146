/**
 * A reply that callers get as a `Reply`, already written as JSON: the dispatch sends its text as it stands, and nothing
 * in the service looks into it.
 */
export class PreparedReply<Reply> {
  readonly json: string;
  declare readonly reply: Reply;

  /** Some fields of the reply, and after them those of the object (at least one) whose JSON is `rest`. */
  constructor(fields: Partial<Reply>, rest: string) {
    this.json = `${JSON.stringify(fields).slice(0, -1)},${rest.slice(1)}`;
  }
}
