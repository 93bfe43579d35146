import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import {
  ConfigError,
  flagOf,
  readConfig,
  resolveConfig,
  SETTING_FLAGS,
  SETTINGS,
} from "../../server/config.ts";

const DEFAULTS = {
  host: "127.0.0.1",
  port: 8_000,
  store: { kind: "sqlite", path: ".kato/kato.db" },
  durability: { kind: "fast" },
  workers: 1,
  limitConcurrency: 100,
  queueLimit: 2_048,
  listenBacklog: 2_048,
  maxRequests: 0,
  keepAliveSeconds: 75,
  deadlineMs: 5_000,
  sessionTtlSeconds: 3_600,
  sessionAutoExtend: true,
  stmLimit: 1_000,
  idempotencyIds: 1_024,
  idempotencySeconds: 3_600,
  replicaMemoryMb: 1_024,
  logLevel: "info",
  logFormat: "auto",
  accessLog: true,
  slowMs: 1_000,
  shutdownSeconds: 30,
  hangSeconds: 10,
  startSeconds: 30,
};

type Name = keyof typeof DEFAULTS;

/** For each setting texts that it takes, and what they mean. */
const GOOD: Record<Name, [text: string, value: unknown][]> = {
  host: [
    ["0.0.0.0", "0.0.0.0"],
    ["::1", "::1"],
  ],
  port: [
    ["0", 0],
    ["65535", 65_535],
  ],
  store: [["sqlite:/data/kato.db", { kind: "sqlite", path: "/data/kato.db" }]],
  // Of these the default store, a SQLite file, can all but replicas.
  durability: [
    ["fast", { kind: "fast" }],
    ["fsync", { kind: "fsync" }],
  ],
  workers: [
    ["1", 1],
    ["256", 256],
    ["auto", availableParallelism()],
  ],
  limitConcurrency: [
    ["1", 1],
    ["100000", 100_000],
  ],
  queueLimit: [
    ["0", 0],
    ["1000000", 1_000_000],
  ],
  listenBacklog: [
    ["1", 1],
    ["65535", 65_535],
  ],
  maxRequests: [
    ["0", 0],
    ["999999999999", 999_999_999_999],
  ],
  keepAliveSeconds: [
    ["1", 1],
    ["86400", 86_400],
  ],
  deadlineMs: [
    ["50", 50],
    ["600000", 600_000],
  ],
  sessionTtlSeconds: [
    ["1", 1],
    ["2592000", 2_592_000],
  ],
  sessionAutoExtend: [
    ["true", true],
    ["on", true],
    ["false", false],
    ["off", false],
  ],
  stmLimit: [
    ["1", 1],
    ["1000000", 1_000_000],
  ],
  idempotencyIds: [
    ["1000", 1_000],
    ["100000", 100_000],
  ],
  idempotencySeconds: [
    ["60", 60],
    ["2592000", 2_592_000],
  ],
  replicaMemoryMb: [
    ["1", 1],
    ["1000000", 1_000_000],
  ],
  logLevel: ["debug", "info", "warn", "error", "silent"].map((level) => [level, level]),
  logFormat: ["auto", "pretty", "json"].map((format) => [format, format]),
  accessLog: [
    ["on", true],
    ["off", false],
  ],
  slowMs: [
    ["0", 0],
    ["600000", 600_000],
  ],
  shutdownSeconds: [
    ["1", 1],
    ["3600", 3_600],
  ],
  hangSeconds: [
    ["1", 1],
    ["86400", 86_400],
  ],
  startSeconds: [
    ["1", 1],
    ["86400", 86_400],
  ],
};

/** For each setting texts that it refuses, and a word of the reason. */
const BAD: Record<Name, [text: string, reason: RegExp][]> = {
  host: [["", /too small/i]],
  port: [
    ["", /whole number/],
    ["-1", /whole number/],
    ["80.5", /whole number/],
    ["http", /whole number/],
    ["0x50", /whole number/],
    ["1e3", /whole number/],
    [" 80", /whole number/],
    ["65536", /65535/],
  ],
  store: [
    ["", /expected sqlite:PATH/],
    ["sqlite:", /path is empty/],
    ["mysql://host", /expected sqlite:PATH/],
    ["redis://", /expected sqlite:PATH/],
    ["redis://host:port", /host is wrong/],
  ],
  durability: [
    ["", /expected fast, replicated:N/],
    ["safe", /expected fast, replicated:N/],
    ["replicated", /N from 1 to 16/],
    ["replicated:0", /N from 1 to 16/],
    ["replicated:17", /N from 1 to 16/],
    ["replicated:1.5", /N from 1 to 16/],
  ],
  workers: [
    ["0", />=1/],
    ["257", /<=256/],
    ["all", /whole number of at least 1, or auto/],
  ],
  limitConcurrency: [
    ["0", />=1/],
    ["100001", /<=100000/],
  ],
  queueLimit: [
    ["-1", /whole number/],
    ["1000001", /<=1000000/],
  ],
  listenBacklog: [
    ["0", />=1/],
    ["65536", /<=65535/],
  ],
  maxRequests: [["many", /whole number/]],
  keepAliveSeconds: [
    ["0", />=1/],
    ["86401", /<=86400/],
  ],
  deadlineMs: [
    ["49", />=50/],
    ["600001", /<=600000/],
  ],
  sessionTtlSeconds: [
    ["0", />=1/],
    ["2592001", /<=2592000/],
  ],
  sessionAutoExtend: [
    ["yes", /true or false/],
    ["", /true or false/],
    ["TRUE", /true or false/],
  ],
  stmLimit: [
    ["0", />=1/],
    ["1000001", /<=1000000/],
  ],
  idempotencyIds: [
    ["999", />=1000/],
    ["100001", /<=100000/],
  ],
  idempotencySeconds: [
    ["59", />=60/],
    ["2592001", /<=2592000/],
  ],
  replicaMemoryMb: [
    ["0", />=1/],
    ["1.5", /whole number/],
    ["1000001", /<=1000000/],
  ],
  logLevel: [
    ["verbose", /"debug"/],
    ["INFO", /"debug"/],
  ],
  logFormat: [["xml", /"pretty"/]],
  accessLog: [["quiet", /true or false/]],
  slowMs: [["600001", /<=600000/]],
  shutdownSeconds: [
    ["0", />=1/],
    ["3601", /<=3600/],
  ],
  hangSeconds: [
    ["0", />=1/],
    ["86401", /<=86400/],
  ],
  startSeconds: [
    ["0", />=1/],
    ["86401", /<=86400/],
  ],
};

const names = Object.keys(SETTINGS) as Name[];
const cases = <T extends unknown[]>(table: Record<Name, T[]>) =>
  names.flatMap((name) => table[name].map((row) => [SETTINGS[name].env, name, ...row] as const));

function refusal(resolve: () => unknown): string {
  try {
    resolve();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error("nothing was refused");
}

describe("the configuration", () => {
  it("has a default for every setting", () => {
    const config = resolveConfig({});

    expect(config).toEqual(DEFAULTS);
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each(cases(GOOD))("takes %s: %s", (env, name, text, value) => {
    expect(resolveConfig({ [env]: text })).toEqual({ ...DEFAULTS, [name]: value });
    expect(resolveConfig({}, { [flagOf(env)]: text })).toEqual({ ...DEFAULTS, [name]: value });
  });

  it.each(cases(BAD))(
    "refuses a bad %s in one line that says which and why: %s %j",
    (env, name, text, reason) => {
      const fromEnvironment = refusal(() => resolveConfig({ [env]: text }));
      const fromFlag = refusal(() => resolveConfig({}, { [flagOf(env)]: text }));

      expect(fromEnvironment).toMatch(new RegExp(`^${env}\\b`));
      expect(fromFlag).toMatch(new RegExp(`^--${flagOf(env)}\\b`));
      for (const message of [fromEnvironment, fromFlag]) {
        expect(message).toMatch(reason);
        expect(message).not.toContain("\n");
        if (name !== "store") expect(message).toContain(JSON.stringify(text));
      }
    },
  );

  it("waits for replicas on Redis, and refuses to on a SQLite file, which has none", () => {
    const asked = { KATO_DURABILITY: "replicated:2" };

    expect(resolveConfig({ ...asked, KATO_STORE: "redis://host" }).durability).toEqual({
      kind: "replicated",
      replicas: 2,
    });
    expect(refusal(() => resolveConfig(asked))).toBe(
      'KATO_DURABILITY "replicated:2": a SQLite file has no replicas; use fsync, or Redis',
    );
  });

  it.each([
    "redis://user:hunter2@host:port",
    "redis://:hunter2@",
    "redis://:hunter2@host/name",
    "redis://:hunter2@one,two",
    "redis+cluster://:hunter2@host/1",
    "redis+sentinel://:hunter2@host",
    "postgres://user:hunter2@host",
    "redis://:hunter2%@host",
    "hunter2",
  ])("never repeats the password of a store: %s", (text) => {
    expect(refusal(() => resolveConfig({ KATO_STORE: text }))).not.toContain("hunter2");
    expect(refusal(() => resolveConfig({}, { store: text }))).not.toContain("hunter2");
  });

  it("refuses a name that it does not know, and tells those that it knows", () => {
    const message = refusal(() => resolveConfig({ KATO_PROT: "80" }));

    expect(message).toMatch(/^KATO_PROT: there is no such setting/);
    for (const name of names) expect(message).toContain(SETTINGS[name].env);
    expect(message).not.toContain("\n");
  });

  it("leaves alone what is not its own", () => {
    expect(resolveConfig({ PORT: "x", kato_port: "x", KATO: "x", MY_KATO_PORT: "x" })).toEqual(
      DEFAULTS,
    );
  });

  it("puts flags before the environment, and the environment before the defaults", () => {
    const config = resolveConfig(
      { KATO_PORT: "1", KATO_HOST: "from-environment" },
      { port: "2", "stm-limit": undefined },
    );

    expect(config).toEqual({ ...DEFAULTS, port: 2, host: "from-environment" });
  });

  it("does not look at an environment's value that a flag replaces", () => {
    expect(resolveConfig({ KATO_PORT: "bad" }, { port: "2" }).port).toBe(2);
  });
});

describe("the flags of the command line", () => {
  it("mirror the settings' names", () => {
    expect(Object.keys(SETTING_FLAGS).toSorted()).toEqual(
      names.map((name) => flagOf(SETTINGS[name].env)).toSorted(),
    );
    expect(flagOf("KATO_LIMIT_CONCURRENCY")).toBe("limit-concurrency");
  });

  it("are read in both forms", () => {
    expect(readConfig(["--port", "81", "--workers=2"])).toMatchObject({ port: 81, workers: 2 });
  });

  it.each([
    [["--prot", "80"], /--prot/],
    [["--port"], /--port/],
    [["serve"], /serve/],
    [["--port", "x"], /^--port "x": expected a whole number$/],
  ])("are refused in one line when wrong: %j", (args, reason) => {
    const message = refusal(() => readConfig(args));

    expect(message).toMatch(reason);
    expect(message).not.toContain("\n");
  });
});
