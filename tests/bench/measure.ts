/** Figures of one target over interleaved rounds. */
export type Spread = { median: number; least: number; most: number };

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1
      ? (sorted[middle] ?? Number.NaN)
      : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
  return { median, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
}

/**
 * Runs every target once per round, each round beginning with another one, so that a machine that
 * grows slow hits all of them alike. Gives each target's figures in the order of the rounds.
 */
export async function interleave<Name extends string, Figure>(
  targets: Readonly<Record<Name, () => Promise<Figure>>>,
  { rounds, onRound }: { rounds: number; onRound?: (round: number) => void },
): Promise<Record<Name, Figure[]>> {
  const names = Object.keys(targets) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    Figure[]
  >;
  for (let round = 0; round < rounds; round++) {
    onRound?.(round);
    for (let i = 0; i < names.length; i++) {
      const name = names[(round + i) % names.length] as Name;
      figures[name].push(await targets[name]());
    }
  }
  return figures;
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
