import { DatabaseSync } from "node:sqlite";
import type { StorePlace } from "./store-place.ts";

export function fileOf(place: StorePlace): string {
  return place.url.slice("sqlite:".length);
}

/** A connection to the file that knows nothing of the store, as another program's would be. */
export function openFile(path: string): DatabaseSync & Disposable {
  const file = new DatabaseSync(path);
  return Object.assign(file, { [Symbol.dispose]: () => file.close() });
}
