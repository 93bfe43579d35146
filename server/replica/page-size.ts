/** Characters that a page should have: some milliseconds of work for the thread. */
const PAGE_CHARACTERS = 128 * 1_024;

/** Of the first page it isn't known yet how long its rows are. */
const ROWS_OF_FIRST_PAGE = 64;

const MOST_ROWS = 1_000;

/** How many rows to read next, by how long those of the last page were; at least one. */
export function rowsOfNextPage(
  last: readonly (readonly (string | number)[])[] | undefined,
): number {
  if (last === undefined || last.length === 0) return ROWS_OF_FIRST_PAGE;
  let characters = 0;
  for (const row of last) {
    for (const field of row) characters += typeof field === "string" ? field.length : 1;
  }
  const rows = Math.floor(PAGE_CHARACTERS / (characters / last.length));
  return Math.max(1, Math.min(MOST_ROWS, rows));
}
