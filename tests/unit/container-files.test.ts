import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { validate, ValidationSeverity } from "dockerfile-utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { z } from "zod";
import { resolveConfig } from "../../server/config.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

type Instruction = { keyword: string; text: string };

/** A Dockerfile's instructions, comments left out and continued lines joined. */
function readInstructions(dockerfile: string): Instruction[] {
  return dockerfile
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, keyword = "", text = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { keyword, text: text.replaceAll(/\s+/g, " ") };
    });
}

const dockerfile = read("Dockerfile");
const instructions = readInstructions(dockerfile);
const finalStage = instructions.slice(
  instructions.findLastIndex(({ keyword }) => keyword === "FROM"),
);

function textsOf(keyword: string, stage: readonly Instruction[] = finalStage): string[] {
  return stage.filter((each) => each.keyword === keyword).map(({ text }) => text);
}

/** The environment that the image sets. */
const imageEnvironment = Object.fromEntries(
  textsOf("ENV").flatMap((text) => text.split(" ").map((pair) => pair.split("="))),
) as Record<string, string>;

/** Sources of COPY, from the directory in which the image is built. */
const copied = instructions
  .filter(({ keyword, text }) => keyword === "COPY" && !text.startsWith("--from"))
  .flatMap(({ text }) => text.split(" ").slice(0, -1));

/** Whether `.dockerignore` keeps a file from the builder: the last of its lines that matches decides. */
function isIgnored(path: string): boolean {
  let ignored = false;
  for (const line of read(".dockerignore").split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const isException = line.startsWith("!");
    if (matches(path, isException ? line.slice(1) : line)) ignored = !isException;
  }
  return ignored;
}

/** Docker's patterns: `*` is any name, one that begins with a dot too, `**` any folders; a folder stands for all in it. */
function matches(path: string, pattern: string): boolean {
  const expression = pattern
    .replaceAll(".", "\\.")
    .replaceAll("**/", "<folders>")
    .replaceAll("*", "[^/]*")
    .replaceAll("<folders>", "(?:.*/)?");
  return new RegExp(`^${expression}(?:/|$)`).test(path);
}

/** Files that the builder would copy. */
const copiedFiles = globSync(
  copied.flatMap((path) => [path, `${path}/**/*`]),
  { cwd: ROOT, withFileTypes: true },
)
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
  .filter((path) => !isIgnored(path));

describe("the Dockerfile", () => {
  it("is clean to the linter, every warning an error", () => {
    const rules = [
      "deprecatedMaintainer",
      "directiveCasing",
      "emptyContinuationLine",
      "instructionCasing",
      "instructionCmdMultiple",
      "instructionEntrypointMultiple",
      "instructionHealthcheckMultiple",
      "instructionJSONInSingleQuotes",
      "instructionWorkdirRelative",
    ];
    const settings = Object.fromEntries(rules.map((rule) => [rule, ValidationSeverity.ERROR]));

    expect(validate(dockerfile, settings)).toEqual([]);
    // The linter is alive.
    expect(validate(dockerfile.replace("STOPSIGNAL", "STOPSIGNALS"), settings)).toHaveLength(1);
  });

  it("builds in stages, all on the same Node 26", () => {
    const images = textsOf("FROM", instructions).map((text) => text.split(" ")[0]);

    expect(images.length).toBeGreaterThan(1);
    expect(new Set(images)).toEqual(new Set(["node:26-slim"]));
  });

  it("copies only what is there and what the builder is given", () => {
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(copied.filter(isIgnored)).toEqual([]);
  });

  it("copies no dependencies, build results, tests or data of the machine it is built on", () => {
    expect(copiedFiles).toContain("server/cli.ts");
    const unwanted = /(^|\/)(node_modules|dist|tests|\.git|\.kato|coverage)\/|\.test\.ts$|\.db$/;
    expect(copiedFiles.filter((path) => unwanted.test(path))).toEqual([]);
    for (const path of [".git/config", ".kato/kato.db", "tests/package.json", ".env", "x.tgz"]) {
      expect([path, isIgnored(path)]).toEqual([path, true]);
    }
  });

  it("installs production dependencies only, and its sources need no others", () => {
    expect(textsOf("RUN", instructions).filter((text) => text.includes("npm "))).toEqual([
      expect.stringMatching(/^npm ci --omit=dev --ignore-scripts /),
    ]);
    const { packages } = JSON.parse(read("package-lock.json")) as {
      packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
    };
    const removed = ["typescript", "@typescript"];
    const missing = copiedFiles
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) => importsOf(read(path)).map((name) => [path, name] as const))
      .filter(([, name]) => {
        const entry = packages[`node_modules/${name}`];
        return entry === undefined || entry.dev === true || removed.includes(name);
      });
    expect(missing).toEqual([]);
  });

  it("runs as another user than root, who may write where the image keeps its data", () => {
    const [user, ...others] = textsOf("USER");

    expect([user, ...others]).toEqual(["node"]);
    const last = finalStage.findIndex(({ keyword }) => keyword === "USER");
    expect(finalStage.slice(last).some(({ keyword }) => keyword === "RUN")).toBe(false);
    const [volume = ""] = textsOf("VOLUME");
    expect(textsOf("RUN")).toContain(`mkdir ${volume} && chown node:node ${volume}`);
    expect(imageEnvironment["KATO_STORE"]).toBe(`sqlite:${volume}/kato.db`);
  });

  it("sets only settings that the service knows, to values it accepts", () => {
    const config = resolveConfig(imageEnvironment);

    expect(config).toMatchObject({ host: "0.0.0.0", port: 8_000, logFormat: "json" });
    expect(textsOf("EXPOSE")).toEqual([String(config.port)]);
  });

  it("starts the service as its first process, which hears SIGTERM", () => {
    const [entrypoint = ""] = textsOf("ENTRYPOINT");
    const [command = ""] = textsOf("CMD");

    expect(JSON.parse(entrypoint)).toEqual(["node", "server/cli.ts"]);
    expect(JSON.parse(command)).toEqual(["serve"]);
    expect(textsOf("STOPSIGNAL")).toEqual(["SIGTERM"]);
  });

  it("has a health check", () => {
    const [text = ""] = textsOf("HEALTHCHECK");

    expect(text).toMatch(/^--interval=10s --timeout=3s --start-period=15s --retries=3 CMD \[/);
    expect(healthCommands()["the image"]).toHaveLength(3);
  });
});

const service = z.object({
  image: z.string().optional(),
  build: z.string().optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  healthcheck: z.strictObject({
    test: z.array(z.string()),
    interval: z.string(),
    timeout: z.string(),
    start_period: z.string(),
    retries: z.int(),
  }),
  stop_grace_period: z.string().regex(/^\d+s$/),
  restart: z.literal("unless-stopped"),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
});

/** As much of the Compose Specification as the file uses: anything else in it is a mistake. */
const composeSchema = z.strictObject({
  name: z.string(),
  services: z.strictObject({ kato: service.strict(), redis: service.strict() }),
  volumes: z.record(z.string(), z.null()),
});

function readCompose() {
  const document = parseDocument(read("compose.yaml"), { strict: true, uniqueKeys: true });
  expect([...document.errors, ...document.warnings]).toEqual([]);
  return composeSchema.parse(document.toJS());
}

describe("compose.yaml", () => {
  it("has only keys that Compose knows, with values of their kinds", () => {
    expect(Object.keys(readCompose().services)).toEqual(["kato", "redis"]);
  });

  it("runs the service on its Redis with settings that it knows and values it accepts", () => {
    const { kato } = readCompose().services;
    const config = resolveConfig({ ...imageEnvironment, ...kato.environment });

    expect(kato.build).toBe(".");
    expect(config.store).toMatchObject({
      kind: "redis",
      address: { topology: "single", hosts: [{ host: "redis", port: 6_379 }] },
    });
    expect(kato.ports).toEqual([`127.0.0.1:8000:${config.port}`]);
    expect(kato.depends_on).toEqual({ redis: { condition: "service_healthy" } });
    expect(Number.parseInt(kato.stop_grace_period, 10)).toBeGreaterThan(config.shutdownSeconds + 3);
  });

  it("runs a Redis that forgets nothing: append-only log, no eviction, a volume of its own", () => {
    const { services, volumes } = readCompose();
    const { image, command, volumes: mounts, healthcheck } = services.redis;

    expect(image).toBe("redis:8");
    expect(command).toEqual([
      "redis-server",
      "--appendonly",
      "yes",
      "--appendfsync",
      "everysec",
      "--maxmemory-policy",
      "noeviction",
    ]);
    expect(mounts).toEqual(["redis-data:/data"]);
    expect(Object.keys(volumes)).toEqual(["redis-data"]);
    expect(healthcheck.test).toEqual(["CMD-SHELL", "redis-cli ping | grep -q PONG"]);
  });
});

/** The health checks' commands: an executable and its arguments. */
function healthCommands(): Record<"the image" | "compose", string[]> {
  const [image = ""] = textsOf("HEALTHCHECK");
  const [kind, ...compose] = readCompose().services.kato.healthcheck.test;
  expect(kind).toBe("CMD");
  return {
    "the image": JSON.parse(image.slice(image.indexOf("["))) as string[],
    compose,
  };
}

describe.each([
  ["the image", "/health"],
  ["compose", "/ready"],
] as const)("the health check of %s", (of, path) => {
  let status = 200;
  const server = createServer((request, response) => {
    response.statusCode = request.url === path ? status : 404;
    response.end();
  });

  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  afterAll(() => {
    server.close();
  });

  async function exitCode(port: number): Promise<number> {
    const [executable, ...args] = healthCommands()[of];
    expect(executable).toBe("node");
    return promisify(execFile)(process.execPath, args, { env: { KATO_PORT: String(port) } }).then(
      () => 0,
      ({ code }: { code: number }) => code,
    );
  }

  it.each([
    [200, 0],
    [503, 1],
  ])(`takes a status of %i at ${path} for exit code %i`, async (answer, code) => {
    status = answer;

    expect(await exitCode((server.address() as AddressInfo).port)).toBe(code);
  });

  it("fails where nothing listens", async () => {
    expect(await exitCode(1)).toBe(1);
  });
});

/** Packages that a source imports when it runs. */
function importsOf(source: string): string[] {
  const specifiers = source.matchAll(/^(?:import|export) (?!type )[^;]*?from "([^"]+)";/gm);
  return [...specifiers]
    .map(([, specifier = ""]) => specifier)
    .filter((specifier) => !/^(\.|node:)/.test(specifier))
    .map((specifier) =>
      specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/"),
    );
}
