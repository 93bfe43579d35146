import { parseArgs } from "node:util";
import { availableParallelism } from "node:os";
import { z } from "zod";
import { describeDurability, parseDurability } from "./stores/durability.ts";
import { IDEMPOTENCY_WINDOW } from "./stores/open-store.ts";
import type { StoreAddress } from "./stores/store-address.ts";
import { parseStoreAddress } from "./stores/store-address.ts";

const count = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/, "expected a whole number")
    .transform(Number)
    .pipe(z.number().min(least).max(most));

const onOff = z
  .enum(["true", "false", "on", "off"], { error: "expected true or false" })
  .transform((text) => text === "true" || text === "on");

const store = z.string().transform((text, context): StoreAddress => {
  try {
    return parseStoreAddress(text);
  } catch (error) {
    context.issues.push({ code: "custom", input: "", message: (error as Error).message });
    return z.NEVER;
  }
});

const durability = z
  .string()
  .transform(parseDurability)
  .refine((parsed) => parsed !== undefined, "expected fast, replicated:N (N from 1 to 16) or fsync")
  .transform((parsed) => parsed ?? z.NEVER);

const workers = z.union(
  [z.literal("auto").transform(() => availableParallelism()), count(1, 256)],
  { error: "expected a whole number of at least 1, or auto" },
);

/** Every setting: environment variable, default as text, schema, and the README's words for it. */
export const SETTINGS = {
  host: {
    env: "KATO_HOST",
    default: "127.0.0.1",
    schema: z.string().min(1),
    meaning: "address to listen on",
  },
  port: {
    env: "KATO_PORT",
    default: "8000",
    schema: count(0, 65_535),
    meaning: "port to listen on; 0 takes a free one",
  },
  store: {
    env: "KATO_STORE",
    default: "sqlite:.kato/kato.db",
    schema: store,
    meaning:
      "`sqlite:PATH`, `redis://`, `rediss://`, `redis+cluster://h:p,h:p` or `redis+sentinel://h:p,h:p/NAME`",
  },
  durability: {
    env: "KATO_DURABILITY",
    default: "fast",
    schema: durability,
    meaning:
      "when a change is acknowledged: `fast` at once, `replicated:N` when N replicas have it too, `fsync` when it is on disk",
  },
  workers: {
    env: "KATO_WORKERS",
    default: "1",
    schema: workers,
    meaning: "processes; `auto` is one per core",
  },
  limitConcurrency: {
    env: "KATO_LIMIT_CONCURRENCY",
    default: "100",
    schema: count(1, 100_000),
    meaning: "calls running at once per worker",
  },
  queueLimit: {
    env: "KATO_QUEUE_LIMIT",
    default: "2048",
    schema: count(0, 1_000_000),
    meaning: "calls waiting per worker; past it `OVERLOADED`",
  },
  listenBacklog: {
    env: "KATO_LISTEN_BACKLOG",
    default: "2048",
    schema: count(1, 65_535),
    meaning: "connections that may wait to be accepted",
  },
  maxRequests: {
    env: "KATO_MAX_REQUESTS",
    default: "0",
    schema: count(0, 1e12),
    meaning: "requests after which a worker is replaced, without dropping one; 0 is never",
  },
  keepAliveSeconds: {
    env: "KATO_KEEP_ALIVE_SECONDS",
    default: "75",
    schema: count(1, 86_400),
    meaning: "how long an idle connection stays open; longer than the clients'",
  },
  deadlineMs: {
    env: "KATO_DEADLINE_MS",
    default: "5000",
    schema: count(50, 600_000),
    meaning: "within this every call is answered, if only with an error",
  },
  sessionTtlSeconds: {
    env: "KATO_SESSION_TTL_SECONDS",
    default: "3600",
    schema: count(1, 2_592_000),
    meaning: "how long a session lives without use, unless its creation says",
  },
  sessionAutoExtend: {
    env: "KATO_SESSION_AUTO_EXTEND",
    default: "true",
    schema: onOff,
    meaning: "whether every use of a session prolongs its life",
  },
  stmLimit: {
    env: "KATO_STM_LIMIT",
    default: "1000",
    schema: count(1, 1_000_000),
    meaning: "newest events that a session keeps",
  },
  idempotencyIds: {
    env: "KATO_IDEMPOTENCY_IDS",
    default: String(IDEMPOTENCY_WINDOW.ids),
    // Sixteen times as many are remembered of a burst: those of the longest sequence are among them.
    schema: count(1_000, 100_000),
    meaning:
      "newest ids of mutations that each session and each node remembers at least, to answer repeats; in a burst those of the last minute, up to 16 times as many",
  },
  idempotencySeconds: {
    env: "KATO_IDEMPOTENCY_SECONDS",
    default: String(IDEMPOTENCY_WINDOW.seconds),
    schema: count(60, 2_592_000),
    meaning:
      "how long such an id is remembered at least; longer than any caller goes on repeating a call",
  },
  replicaMemoryMb: {
    env: "KATO_REPLICA_MEMORY_MB",
    default: "1024",
    schema: count(1, 1_000_000),
    meaning:
      "MiB of long-term memory that a worker keeps to predict from; past it the least used node is dropped from memory, not from the store",
  },
  logLevel: {
    env: "KATO_LOG_LEVEL",
    default: "info",
    schema: z.enum(["debug", "info", "warn", "error", "silent"]),
    meaning: "`debug`, `info`, `warn`, `error` or `silent`",
  },
  logFormat: {
    env: "KATO_LOG_FORMAT",
    default: "auto",
    schema: z.enum(["auto", "pretty", "json"]),
    meaning: "`pretty`, `json`, or `auto`: pretty on a terminal, JSON elsewhere",
  },
  accessLog: {
    env: "KATO_ACCESS_LOG",
    default: "on",
    schema: onOff,
    meaning: "a log line for every call; `off` silences them",
  },
  slowMs: {
    env: "KATO_SLOW_MS",
    default: "1000",
    schema: count(0, 600_000),
    meaning: "calls slower than this are named at `warn`; 0 is none",
  },
  shutdownSeconds: {
    env: "KATO_SHUTDOWN_SECONDS",
    default: "30",
    schema: count(1, 3_600),
    meaning: "time to drain before the process ends anyway",
  },
  hangSeconds: {
    env: "KATO_HANG_SECONDS",
    default: "10",
    schema: count(1, 86_400),
    meaning: "a worker that gives no sign of life for so long is killed and replaced",
  },
  startSeconds: {
    env: "KATO_START_SECONDS",
    default: "30",
    schema: count(1, 86_400),
    meaning:
      "a worker that is not ready so long after its start is killed and started anew; longer than a newer version takes to migrate a SQLite file",
  },
} as const satisfies Record<
  string,
  { env: `KATO_${string}`; default: string; schema: z.ZodType; meaning: string }
>;

type SettingName = keyof typeof SETTINGS;
export type Config = Readonly<{ [K in SettingName]: z.infer<(typeof SETTINGS)[K]["schema"]> }>;

/** What is wrong with the environment or a flag, in one line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** The flag that sets the same as an environment variable: `KATO_LOG_LEVEL` is `--log-level`. */
export function flagOf(env: string): string {
  return env
    .replace(/^KATO_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}

/** Options for `parseArgs`: a flag for every setting. */
export const SETTING_FLAGS = Object.fromEntries(
  Object.values(SETTINGS).map(({ env }) => [flagOf(env), { type: "string" as const }]),
);

/**
 * Flags go before environment, environment before defaults.
 *
 * @throws ConfigError that names the setting, the value (never that of the store, which may hold a password) and the rule
 */
export function resolveConfig(
  environment: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string | boolean | undefined>> = {},
): Config {
  refuseUnknownNames(environment);
  const config: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const flag = flags[flagOf(setting.env)];
    const fromFlag = typeof flag === "string";
    const text = fromFlag ? flag : (environment[setting.env] ?? setting.default);
    const parsed = setting.schema.safeParse(text);
    if (!parsed.success) {
      const source = fromFlag ? `--${flagOf(setting.env)}` : setting.env;
      const shown = name === "store" ? "" : ` ${JSON.stringify(text)}`;
      const [issue] = parsed.error.issues;
      throw new ConfigError(`${source}${shown}: ${issue?.message ?? "not valid"}`);
    }
    config[name] = parsed.data;
  }
  refuseReplicasOfFile(config as Config);
  return Object.freeze(config) as Config;
}

function refuseReplicasOfFile({ durability: asked, store: { kind } }: Config): void {
  if (kind !== "sqlite" || asked.kind !== "replicated") return;
  const setting = `${SETTINGS.durability.env} ${JSON.stringify(describeDurability(asked))}`;
  throw new ConfigError(`${setting}: a SQLite file has no replicas; use fsync, or Redis`);
}

/** The process's environment and the flags of its command line. @throws ConfigError */
export function readConfig(args: readonly string[]): Config {
  try {
    const { values } = parseArgs({ args: [...args], options: SETTING_FLAGS, strict: true });
    return resolveConfig(process.env, values);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError((error as Error).message.split("\n")[0]);
  }
}

function refuseUnknownNames(environment: Readonly<Record<string, unknown>>): void {
  const known = new Set<string>(Object.values(SETTINGS).map(({ env }) => env));
  const unknown = Object.keys(environment).find(
    (name) => name.startsWith("KATO_") && !known.has(name),
  );
  if (unknown !== undefined) {
    throw new ConfigError(
      `${unknown}: there is no such setting; known are ${[...known].join(", ")}`,
    );
  }
}
