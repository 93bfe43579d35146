import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Emotives, Metadata } from "@kato-rpc/shared/observation.ts";

/** Recorded answers of the reference; `README.md` beside the files explains them. */
const FOLDER = fileURLToPath(new URL("../../../shared/golden/", import.meta.url));

export type GoldenObservation = {
  strings?: string[];
  vectors?: number[][];
  emotives?: Emotives;
  metadata?: Metadata;
};

export type GoldenStep = {
  op: string;
  session?: string;
  input?: Record<string, unknown>;
  expect: Record<string, unknown>;
};

export type GoldenCase = {
  id: string;
  family: string;
  config?: Record<string, unknown>;
  engine?: Record<string, unknown>;
  sessions?: Record<string, { node: string; config?: Record<string, unknown> }>;
  steps: GoldenStep[];
};

export type VectorNameCase = { id: string; vectors: number[][]; name: string };

/** False where the recorded answers are not at hand, as in a clone of the repository alone. */
export const hasGoldenCases: boolean = existsSync(FOLDER);

export function readGoldenCases(): GoldenCase[] {
  return readLines().filter((line): line is GoldenCase => "steps" in line);
}

export function readVectorNameCases(): VectorNameCase[] {
  return readLines().filter((line): line is VectorNameCase => "text" in line);
}

function readLines(): object[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".jsonl"))
    .sort()
    .flatMap((file) =>
      readFileSync(FOLDER + file, "utf8")
        .trimEnd()
        .split("\n"),
    )
    .map((line): object => JSON.parse(line));
}
