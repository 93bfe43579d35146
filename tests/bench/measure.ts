import { inTurns } from "./in-turns.ts";

/** `inTurns` for targets that have names. */
export async function interleave<Name extends string, Figure>(
  targets: Readonly<Record<Name, () => Promise<Figure>>>,
  { rounds, onRound = () => undefined }: { rounds: number; onRound?: () => void },
): Promise<Record<Name, Figure[]>> {
  const names = Object.keys(targets) as Name[];
  const figures = await inTurns(
    names.map((name) => targets[name]),
    { rounds, onRound },
  );
  return Object.fromEntries(names.map((name, i) => [name, figures[i]])) as Record<Name, Figure[]>;
}

/** Rows under a header, columns aligned: texts left, numbers right. */
export function formatTable(
  header: readonly string[],
  rows: readonly (string | number)[][],
): string {
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const isNumber = header.map((_, column) =>
    rows.every((row) => /^[\d.,×–-]+$/.test(String(row[column]))),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en");
}

export function formatRatio(value: number): string {
  return `${value.toFixed(2)}×`;
}
