import type { Event } from "@kato-rpc/shared/observation.ts";
import { sortSymbols } from "../../engine/symbol-order.ts";
import { lineError } from "../replay/log-line.ts";

/** Between events, and at the end of a sequence. */
const SPMF = { eventEnd: "-1", sequenceEnd: "-2" } as const;
/** Lines of the SPMF library's own: comments, and what its items stand for. */
const SPMF_REMARK = /^[#%@]/;

/** What a line of a file of sequences says; undefined: nothing. @throws UsageError that names the line */
export type LineReader = (text: string, line: number) => Event[] | undefined;

/** `a b c`: an event of one symbol each. */
export const readTokens: LineReader = (text) => {
  const tokens = tokensOf(text);
  return tokens.length === 0 ? undefined : tokens.map((token) => [token]);
};

/**
 * `1 2 -1 3 -1 -2`: the events {1, 2} and {3}, by the format of Fournier-Viger's SPMF. An event's symbols come in their
 * own order, as the service observes them.
 */
export const readSpmf: LineReader = (text, line) => {
  if (isRemark(text)) return undefined;
  const tokens = tokensOf(text);
  if (tokens.indexOf(SPMF.sequenceEnd) !== tokens.length - 1) {
    throw lineError(line, "a sequence ends in -2, one to a line");
  }
  const events: Event[] = [];
  let symbols: string[] = [];
  for (const token of tokens) {
    if (token !== SPMF.eventEnd && token !== SPMF.sequenceEnd) {
      symbols.push(token);
      continue;
    }
    if (symbols.length > 0) events.push(sortSymbols(symbols));
    symbols = [];
  }
  return events.length === 0 ? undefined : events;
};

/** Whether a line has nothing to say in SPMF's files, whatever it holds. */
export function isRemark(text: string): boolean {
  return SPMF_REMARK.test(text) || text.trim() === "";
}

/** Whether a line is a sequence of SPMF's. */
export function isSpmf(text: string): boolean {
  return tokensOf(text).at(-1) === SPMF.sequenceEnd;
}

function tokensOf(text: string): string[] {
  return text.split(/\s+/).filter((token) => token !== "");
}
