import type { Finding, NodeRule } from "./finding.ts";
import type { NodeContents } from "./node-contents.ts";
import { nameOf } from "./session-model.ts";

/** Whether a node's statistics are those of its patterns, counted one by one. */
export function checkStatistics(contents: NodeContents): Finding[] {
  const { nodeId, stats, patterns } = contents;
  const findings: Finding[] = [];
  const find = (rule: NodeRule, message: string) =>
    findings.push({ subject: nodeId, rule, message, calls: [] });

  const names = new Set<string>();
  for (const { name, events, length, frequency } of patterns) {
    if (names.has(name)) find("wrong-pattern", `${name} is there twice`);
    names.add(name);
    if (name !== nameOf(events)) find("wrong-pattern", `${name} is not the name of its events`);
    if (length !== events.flat().length) find("wrong-pattern", `${name} has another length`);
    if (!(frequency >= 1)) find("wrong-pattern", `${name} was learned ${frequency} times`);
  }
  const counted = countSymbols(contents);
  const totals = {
    patterns: patterns.length,
    symbols: counted.size,
    frequencies: sum(patterns.map(({ frequency }) => frequency)),
    symbolOccurrences: sum(
      patterns.map(({ frequency, events }) => frequency * events.flat().length),
    ),
    bytes: sum(patterns.map(({ events }) => Buffer.byteLength(JSON.stringify(events)))),
  };
  for (const [field, expected] of Object.entries(totals)) {
    const actual = stats[field as keyof typeof totals];
    if (actual !== expected) find("wrong-statistics", `${field} ${actual}, counted ${expected}`);
  }
  for (const message of compareSymbols(contents, counted)) find("wrong-symbols", message);
  return findings;
}

interface SymbolCount {
  frequency: number;
  patternMemberFrequency: number;
}

function countSymbols({ patterns }: NodeContents): Map<string, SymbolCount> {
  const counts = new Map<string, SymbolCount>();
  for (const { events, frequency } of patterns) {
    const symbols = events.flat();
    for (const symbol of new Set(symbols)) {
      const count = counts.get(symbol) ?? { frequency: 0, patternMemberFrequency: 0 };
      count.frequency += frequency * symbols.filter((each) => each === symbol).length;
      count.patternMemberFrequency += 1;
      counts.set(symbol, count);
    }
  }
  return counts;
}

function compareSymbols({ symbols }: NodeContents, counted: Map<string, SymbolCount>): string[] {
  const messages: string[] = [];
  const told = new Set(symbols.map(({ symbol }) => symbol));
  if (told.size < symbols.length) messages.push("a symbol is told twice");
  for (const symbol of counted.keys()) {
    if (!told.has(symbol)) messages.push(`${JSON.stringify(symbol)} is missing`);
  }
  for (const { symbol, frequency, patternMemberFrequency } of symbols) {
    const count = counted.get(symbol) ?? { frequency: 0, patternMemberFrequency: 0 };
    if (count.frequency === frequency && count.patternMemberFrequency === patternMemberFrequency)
      continue;
    const actual = `${frequency} in ${patternMemberFrequency} patterns`;
    const expected = `${count.frequency} in ${count.patternMemberFrequency}`;
    messages.push(`${JSON.stringify(symbol)} ${actual}, counted ${expected}`);
  }
  return messages;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
