import type { Config } from "../../config.ts";
import { ConfigError } from "../../config.ts";
import { describeStore } from "../../stores/store-address.ts";
import { formatColumns } from "../columns.ts";
import type { Command, Flags } from "../command.ts";
import { JSON_FLAG } from "../command.ts";
import type { Output, Style } from "../screen.ts";
import { readSettings, SETTINGS_FLAGS } from "../settings-flags.ts";
import type { Check, CheckStatus } from "./check.ts";
import { fail, ok } from "./check.ts";
import { checkCores, checkNode, checkOpenFiles, findOpenFilesLimit } from "./machine-checks.ts";

export type DoctorReport = { ok: boolean; store: string | null; checks: Check[] };

export const DOCTOR: Command = {
  name: "doctor",
  parameters: [],
  about: `Checks settings, machine and store as kato serve would use them, changes nothing, and says what
to do. Takes the flags of kato serve. Exit code 1 when a check fails, 0 when there are only warnings.`,
  flags: { ...SETTINGS_FLAGS, json: JSON_FLAG },
  examples: [
    "kato doctor",
    "kato doctor --store redis://127.0.0.1:6379 --workers auto",
    "KATO_STORE=sqlite:/var/lib/kato/kato.db kato doctor --json",
  ],
  async run({ flags, screen }) {
    const report = await examine(flags);
    if (flags["json"] === true) screen.result.line(JSON.stringify(report));
    else show(report, screen.result);
    return report.ok ? 0 : 1;
  },
};

/** Runs every check; the store's only when the settings say which. */
export async function examine(flags: Flags): Promise<DoctorReport> {
  const checks: Check[] = [checkNode(process.versions.node)];
  let config: Config;
  try {
    config = readSettings(flags);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    checks.unshift(fail("settings", error.message, "correct it; kato serve --help lists them all"));
    return summarise(null, checks);
  }
  checks.unshift(ok("settings", "valid"));
  checks.push(checkCores(config), checkOpenFiles(config, findOpenFilesLimit()));
  checks.push(...(await checkStore(config)));
  return summarise(describeStore(config.store), checks);
}

async function checkStore(config: Config): Promise<Check[]> {
  if (config.store.kind === "sqlite") {
    const { checkSqlite } = await import("./check-sqlite.ts");
    return checkSqlite(config.store.path, config);
  }
  const { checkRedis } = await import("./check-redis.ts");
  return checkRedis(config.store.address, config);
}

function summarise(store: string | null, checks: Check[]): DoctorReport {
  return { ok: checks.every(({ status }) => status !== "fail"), store, checks };
}

const STYLES: Record<CheckStatus, Style> = { ok: "green", warn: "yellow", fail: "red" };

function show({ store, checks }: DoctorReport, output: Output): void {
  if (store !== null) output.line(output.style("bold", store));
  const lines = formatColumns(checks.map(({ status, name, found }) => [status, name, found]));
  for (const [i, { status, advice }] of checks.entries()) {
    const line = lines[i] ?? "";
    output.line(output.style(STYLES[status], line.slice(0, 4)) + line.slice(4));
    if (advice !== undefined) output.line(`      → ${advice}`);
  }
  const count = (wanted: CheckStatus) => checks.filter(({ status }) => status === wanted).length;
  output.line();
  output.line(`${count("ok")} ok, ${count("warn")} to look at, ${count("fail")} failed`);
}
