import { invalidCursor } from "../stores/store-errors.ts";

/** Where a walk over nodes stands: the node, and the place within its sessions (null: at its start or end). */
export type ListCursor = [nodeId: string, within: string | null];

export function encodeCursor(cursor: ListCursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString("base64url");
}

/** @throws ServiceError INVALID_INPUT for a text that no list has given */
export function decodeCursor(cursor: string): ListCursor {
  try {
    const [nodeId, within] = JSON.parse(
      Buffer.from(cursor, "base64url").toString("utf8"),
    ) as unknown[];
    if (typeof nodeId === "string" && (within === null || typeof within === "string")) {
      return [nodeId, within];
    }
  } catch (cause) {
    throw invalidCursor(cause);
  }
  throw invalidCursor(undefined);
}
