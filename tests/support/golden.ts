import { createHash } from "node:crypto";

import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import type { PredictionList } from "@kato-rpc/shared/prediction.ts";
import type { GoldenCase, GoldenObservation, GoldenStep } from "./golden-cases.ts";
import type { Fields } from "./golden-compare.ts";
import {
  camelCase,
  camelKeys,
  compareByName,
  compareMap,
  compareNamed,
  compareValue,
  expectRefusal,
  names,
  requireDescending,
} from "./golden-compare.ts";
import type { GoldenDriver, Observed } from "./golden-driver.ts";

/** Settings of the reference's that have no effect there and do not exist here. */
const NOT_HERE = new Set([
  "indexer_type",
  "sort",
  "bloom_false_positive_rate",
  "max_candidates_per_stage",
  "enable_filter_metrics",
  "minhash_bands",
  "minhash_rows",
  "minhash_num_hashes",
]);

/** Settings that the reference takes from its engine only, where a session's take effect here. */
const ENGINE_ONLY = new Set(["persistence", "rank_sort_algo", "sort_symbols"]);

/** Plays a case step by step. Rejects with the first difference, which names the step. */
export async function playGoldenCase(golden: GoldenCase, driver: GoldenDriver): Promise<void> {
  const sessions = golden.sessions ?? { s1: { node: "n1", config: golden.config ?? {} } };
  for (const [session, { node, config = {} }] of Object.entries(sessions)) {
    const settings = { ...fromSession(config), ...fromEngine(golden.engine ?? {}) };
    await driver.createSession(session, node, settings);
  }
  const givesSettings = Object.values(sessions).some(
    ({ config = {} }) => Object.keys(config).length,
  );
  const comparesCognition = !givesSettings && golden.steps.every(({ op }) => op !== "set_config");
  for (const [index, step] of golden.steps.entries()) {
    const path = `${golden.id} step ${index} ${step.op}`;
    const context = { driver, session: step.session ?? "s1", path, comparesCognition };
    if ("error" in step.expect || isUnknownMode(step)) {
      await expectRefusal(path, () => answer(step, context));
    } else {
      compareStep(step, await answer(step, context), context);
    }
    if (isUnknownMode(step)) await driver.configure(context.session, { stmMode: "CLEAR" });
  }
}

/** The reference takes an unknown mode for CLEAR without a word; here it is refused. */
function isUnknownMode({ op, input }: GoldenStep): boolean {
  const mode = input?.["stm_mode"] ?? "CLEAR";
  return op === "set_config" && mode !== "CLEAR" && mode !== "ROLLING";
}

interface Context {
  driver: GoldenDriver;
  session: string;
  path: string;
  comparesCognition: boolean;
}

function fromSession(config: Fields): SessionConfigPatch {
  const kept = Object.entries(config).filter(([key]) => !ENGINE_ONLY.has(key));
  return fromEngine(Object.fromEntries(kept));
}

function fromEngine(config: Fields): SessionConfigPatch {
  const kept = Object.entries(config).filter(([key]) => !NOT_HERE.has(key));
  const settings = camelKeys(Object.fromEntries(kept));
  const rank = settings["rankSortAlgo"];
  if (typeof rank === "string") settings["rankSortAlgo"] = camelCase(rank);
  return settings;
}

/** A refused setting must be refused here too, so that one is passed on even where it would be left out. */
function changedSettings({ input = {}, expect }: GoldenStep): SessionConfigPatch {
  return "error" in expect ? fromEngine(input) : fromSession(input);
}

function observed(input: GoldenObservation): Observed {
  const { strings = [], vectors = [], emotives = {}, metadata = {} } = input;
  return { strings, vectors, emotives, metadata };
}

/** The answer of the driver, in the words of the case. */
async function answer(step: GoldenStep, { driver, session }: Context): Promise<unknown> {
  const input = step.input ?? {};
  switch (step.op) {
    case "observe": {
      const { stmLength, time, learned } = await driver.observe(session, observed(input));
      return { stm_length: stmLength, time, auto_learned_pattern: learned };
    }
    case "observe_sequence":
      return observeSequence(input, session, driver);
    case "train":
      return train(input["sequences"] as string[][][], session, driver);
    case "learn":
      return { pattern_name: (await driver.learn(session)).learned ?? "" };
    case "stm":
      return { stm: await driver.stm(session) };
    case "predictions":
      return driver.predict(session);
    case "clear_stm":
      await driver.clearStm(session);
      return { status: "cleared" };
    case "clear_all":
      await driver.clearStm(session);
      await driver.clearNode(session);
      return { status: "cleared" };
    case "set_config":
      await driver.configure(session, changedSettings(step));
      return { status: "okay" };
    case "pattern":
      return findPattern(String(input["name"]), session, driver);
    case "finalize":
      return { patterns_processed: (await driver.finalize(session)).patterns };
    case "symbol_stats":
    case "symbol_affinity":
      return driver.symbols(session);
    case "percept":
      return driver.percept(session);
    case "cognition":
      return driver.cognition(session);
    default:
      throw new Error(`unknown step ${step.op}`);
  }
}

async function observeSequence(input: Fields, session: string, driver: GoldenDriver) {
  const observations = (input["observations"] as GoldenObservation[]).map(observed);
  const reply = await driver.observeSequence(session, observations, {
    learnAfterEach: input["learn_after_each"] === true,
    learnAtEnd: input["learn_at_end"] === true,
    clearStmBetween: input["clear_stm_between"] === true,
  });
  return {
    observations_processed: reply.results.length,
    initial_stm_length: reply.initialStmLength,
    final_stm_length: reply.finalStmLength,
    auto_learned_patterns: reply.learned,
    final_learned_pattern: reply.finalLearned,
    results: reply.results.map(({ stmLength, time, learned }) => ({
      stm_length: stmLength,
      time,
      auto_learned_pattern: learned,
    })),
  };
}

async function train(sequences: string[][][], session: string, driver: GoldenDriver) {
  const learned = (await driver.train(session, sequences)).map((name) => name ?? "");
  return {
    pattern_names: learned,
    count: learned.length,
    unique: new Set(learned).size,
    pattern_names_sha1: createHash("sha1").update(learned.join("\n")).digest("hex"),
  };
}

async function findPattern(name: string, session: string, driver: GoldenDriver) {
  const pattern = await driver.pattern(session, name);
  if (pattern === undefined) return { found: false };
  const { events, ...fields } = pattern;
  return { found: true, pattern_data: events, ...fields };
}

function compareStep(step: GoldenStep, actual: unknown, context: Context): void {
  const { path } = context;
  const expected = step.expect;
  switch (step.op) {
    case "predictions":
      return comparePredictions(path, expected, actual as PredictionList);
    case "observe_sequence":
      return compareValue(path, withNamesOnly(expected), actual);
    case "symbol_stats":
      return compareSymbols(path, expected["symbols"] as Fields, actual as Fields[]);
    case "symbol_affinity": {
      const symbol = (actual as Fields[]).find((item) => item["symbol"] === step.input?.["symbol"]);
      const affinity = symbol?.["affinity"] as object | undefined;
      return compareMap(path, expected["affinity"] as object, affinity ?? {});
    }
    case "percept":
      return compareValue(path, expected["percept_data"], actual);
    case "cognition":
      return compareCognition(context, expected, actual as Fields);
    case "pattern": {
      const { metadata, ...fields } = expected;
      const stored = (actual as Fields)["metadata"] as object;
      if (metadata !== undefined) compareMap(`${path}.metadata`, metadata as object, stored);
      return compareValue(path, fields, actual);
    }
    default:
      return compareValue(path, expected, actual);
  }
}

/** The reference lists "" for a learn of one symbol; here the list holds names only. */
function withNamesOnly(expected: Fields): Fields {
  const learned = expected["auto_learned_patterns"] as string[];
  return {
    ...expected,
    auto_learned_patterns: learned.filter((name) => name !== ""),
    final_learned_pattern: expected["final_learned_pattern"] || null,
  };
}

function compareSymbols(path: string, expected: Fields, actual: readonly Fields[]): void {
  const bySymbol = Object.fromEntries(
    actual.map(({ symbol, frequency, patternMemberFrequency }) => [
      symbol,
      { frequency, pattern_member_frequency: patternMemberFrequency },
    ]),
  );
  compareMap(path, expected, bySymbol);
}

function compareCognition(context: Context, expected: Fields, actual: Fields): void {
  const { predictions, order: _, emotives, ...fields } = expected;
  const { path } = context;
  compareValue(path, fields, actual);
  compareMap(`${path}.emotives`, emotives as object, actual["emotives"] as object);
  if (!context.comparesCognition) return;
  const wanted = (predictions as Fields[]).map(camelKeys);
  compareByName(path, wanted, actual["predictions"] as Fields[]);
}

function comparePredictions(path: string, expected: Fields, actual: PredictionList): void {
  const wanted = (expected["predictions"] as Fields[]).map(camelKeys);
  const got: Fields[] = actual.predictions;
  const sortBy = camelCase(String(expected["sort_by"]));
  compareValue(`${path} count`, expected["count"], got.length);
  requireDescending(
    `${path} by ${sortBy}`,
    got.map((prediction) => prediction[sortBy]),
  );
  if (expected["order"] === "partial") comparePartially(path, { expected, wanted, got, sortBy });
  else compareByName(path, wanted, got);
  if (expected["order"] === "exact") compareValue(`${path} order`, names(wanted), names(got));
  const futures = expected["future_potentials"];
  if (futures !== undefined) {
    compareFutures(`${path} futures`, futures as Fields[], actual.futurePotentials);
  }
}

/** The cut falls inside a tie: those listed are there, the others are members of the tie. */
function comparePartially(
  path: string,
  lists: { expected: Fields; wanted: Fields[]; got: Fields[]; sortBy: string },
): void {
  const { expected, wanted, got, sortBy } = lists;
  const listed = new Set(names(wanted));
  for (const item of wanted) {
    const match = got.find(({ name }) => name === item["name"]);
    compareNamed(path, item, match);
  }
  const others = got.filter(({ name }) => !listed.has(name));
  compareValue(`${path} cut_count`, expected["cut_count"], others.length);
  for (const other of others) compareValue(`${path} tie`, expected["tie_value"], other[sortBy]);
}

function compareFutures(
  path: string,
  expected: readonly Fields[],
  actual: readonly Fields[],
): void {
  const named = (entry: Fields): Fields => {
    const { future, ...fields } = entry;
    const sorted = (future as string[][]).map((event) => event.toSorted());
    return { name: JSON.stringify(sorted), ...camelKeys(fields) };
  };
  compareByName(path, expected.map(named), actual.map(named));
  requireDescending(
    path,
    actual.map((entry) => entry["aggregatePotential"]),
  );
}
