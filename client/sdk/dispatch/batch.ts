import type { BatchLimits } from "../options.ts";
import type { Call } from "./call.ts";
import type { Lane } from "./lane.ts";

export type Entry = { call: Call; lane: Lane };

/** What an item adds to a body besides its wire form: `"99":` and a comma. */
const BODY_ITEM_OVERHEAD = 6;
/** The same percent-encoded, `%2299%22%3A` and `%2C`. */
const URL_ITEM_OVERHEAD = 14;
/** `?batch=1&input=%7B%7D` */
const URL_OVERHEAD = 20;
const BODY_OVERHEAD = 2;

/** The calls of one HTTP request, all queries or all mutations, as many as the limits allow. */
export class Batch {
  readonly kind: Call["kind"];
  readonly entries: Entry[] = [];
  /** Of the procedures, as they stand in the URL. */
  readonly names: string[] = [];
  readonly #limits: Required<{ [K in keyof BatchLimits]: number }>;
  #urlSize: number;
  #bodySize = BODY_OVERHEAD;

  /** `pathname` is what stands before the names of the procedures. */
  constructor(kind: Call["kind"], pathname: string, limits: Batch["limits"]) {
    this.kind = kind;
    this.#limits = limits;
    this.#urlSize = pathname.length + URL_OVERHEAD;
  }

  get limits() {
    return this.#limits;
  }

  /** False, and nothing done, when the batch would pass a limit. An empty batch takes any call. */
  add(entry: Entry): boolean {
    const { call } = entry;
    const isQuery = this.kind === "query";
    const name = encodeURIComponent(call.path);
    const urlSize =
      this.#urlSize + name.length + 1 + (isQuery ? call.wireSize + URL_ITEM_OVERHEAD : 0);
    const bodySize = this.#bodySize + (isQuery ? 0 : call.wireSize + BODY_ITEM_OVERHEAD);
    const fits =
      this.entries.length < this.#limits.maxCalls &&
      urlSize <= this.#limits.maxUrlCharacters &&
      bodySize <= this.#limits.maxBodyBytes;
    if (!fits && this.entries.length > 0) return false;
    this.#urlSize = urlSize;
    this.#bodySize = bodySize;
    this.entries.push(entry);
    this.names.push(name);
    return true;
  }
}
