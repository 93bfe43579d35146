import { copyFile, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import vm from "node:vm";
import { publint } from "publint";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service } from "../support/service.ts";
import { openTestStore, startService } from "../support/service.ts";
import type { TemporaryDirectory } from "../support/temporary-directory.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { findNodes, outputOf, ROOT } from "./commands.ts";

const DIST = join(ROOT, "client/sdk/dist");
const HERE = import.meta.dirname;
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const NODES = await findNodes();

/** What is to be done at the end, last opened first, however far the start came. */
const closers: (() => Promise<void>)[] = [];
let project: TemporaryDirectory;
let tarball: string;
let packed: string[];
let service: Service;

beforeAll(async () => {
  const hadDist = await stat(DIST).then(
    () => true,
    () => false,
  );
  if (!hadDist) closers.push(() => rm(DIST, { recursive: true, force: true }));
  project = await makeTemporaryDirectory();
  closers.push(() => project.remove());
  await outputOf("npm", ["run", "build"]);
  const packArgs = ["pack", DIST, "--json", "--pack-destination", project.path];
  const [result] = Object.values(JSON.parse(await outputOf("npm", packArgs)) as PackResult);
  if (result === undefined) throw new Error("npm pack tells of no package");
  tarball = join(project.path, result.filename);
  packed = result.files.map(({ path }) => path).toSorted();
  await installInto(project.path);
  const store = await openTestStore("sqlite");
  closers.push(() => store[Symbol.asyncDispose]());
  service = await startService({ store: store.url });
  closers.push(() => service.stop());
}, 300_000);

afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

describe("the packed client", () => {
  it("holds one module, its declarations, the licence and nothing of the workspace", async () => {
    const [module, declarations] = await Promise.all(
      ["index.js", "index.d.ts"].map((file) => readFile(join(DIST, file), "utf8")),
    );

    expect(packed).toEqual([
      "LICENSE",
      "README.md",
      "index.cjs",
      "index.d.cts",
      "index.d.ts",
      "index.js",
      "package.json",
    ]);
    expect(importsOf(module)).toEqual(["@trpc/client", "superjson"]);
    expect(importsOf(declarations)).toEqual(["@trpc/client", "@trpc/server", "@trpc/server/rpc"]);
    expect(declarations).toContain('observeSequence: import("@trpc/server").TRPCMutationProcedure');
    expect(declarations).not.toMatch(/class (?!KatoError|SessionHandle|CreatedSession)/);
    expect(module).not.toContain(ROOT);
  });

  it("passes publint and attw", async () => {
    const { messages } = await publint({
      pkgDir: DIST,
      level: "suggestion",
      pack: false,
      strict: true,
    });
    const attw = join(ROOT, "node_modules/.bin/attw");
    const output = await outputOf(attw, [tarball, "--format", "json"]);

    expect(messages).toEqual([]);
    expect(JSON.parse(output)).toMatchObject({ problems: {} });
    expect(JSON.parse(output)).toHaveProperty("analysis.problems", []);
  });

  it("gives its users the same types as the sources", async () => {
    const sources = JSON.stringify(join(ROOT, "client/sdk/index.ts"));
    await writeFile(join(project.path, "same.ts"), sameTypes(sources));
    await compile("same.ts", {
      lib: ["es2024", "esnext.disposable", "dom"],
      types: ["node"],
      typeRoots: [join(ROOT, "node_modules/@types")],
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
    });
  });

  it("compiles strictly where nothing else is installed", async () => {
    await compileConsumer();
  });

  describe.each(NODES)("runs on Node $version", ({ path }) => {
    it("as an ES module", async () => {
      await compileConsumer();

      expectExercised(await outputOf(path, ["main.js", service.url], project.path));
    });

    it("as a CommonJS module", async () => {
      await compileConsumer("cts");

      expectExercised(await outputOf(path, ["main.cjs", service.url], project.path));
    });
  });

  it("runs the example of its README", async () => {
    const readme = await readFile(join(DIST, "README.md"), "utf8");
    const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
    await writeFile(
      join(project.path, "example.ts"),
      example.replace("http://127.0.0.1:8000", service.url),
    );
    await compile("example.ts");

    const output = await outputOf(process.execPath, ["example.js"], project.path);

    expect(output.trim()).toBe("[ [ 'kettle', 'on' ] ]");
  });

  it("runs in a browser: a bundle that needs web globals only", async () => {
    await compileConsumer();
    const bundle = await rolldown({
      input: join(project.path, "consumer.js"),
      platform: "browser",
    });
    const { output } = await bundle.generate({ format: "iife", name: "consumer" });
    await bundle.close();
    const [chunk] = output;

    expect(output.length).toBe(1);
    expect(chunk.imports).toEqual([]);
    // Compared this way, a failure does not print the whole bundle.
    expect(/.*(?:["'`]node:|require\(|process\.).*/.exec(chunk.code)?.[0]).toBeUndefined();
    const exercise = `${chunk.code}\nconsumer.exerciseClient(${JSON.stringify(service.url)})`;
    const result = (await vm.runInNewContext(exercise, webGlobals())) as string;

    expectExercised(result);
  });
});

type PackResult = Record<string, { filename: string; files: { path: string }[] }>;

async function installInto(directory: string): Promise<void> {
  await writeFile(
    join(directory, "package.json"),
    '{"name":"consumer","type":"module","private":true}',
  );
  const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=peer"];
  await outputOf("npm", ["install", tarball, ...flags], directory);
}

/** Makes `main.js` or, of the same sources with another extension, the CommonJS module `main.cjs`. */
async function compileConsumer(extension: "ts" | "cts" = "ts"): Promise<void> {
  const emitted = extension.replace("ts", "js");
  await copyFile(join(HERE, "consumer.ts"), join(project.path, `consumer.${extension}`));
  await writeFile(
    join(project.path, `main.${extension}`),
    `import { exerciseClient } from "./consumer.${emitted}";
    declare const process: { argv: [string, string, string] };
    void exerciseClient(process.argv[2]).then((result) => console.log(result));`,
  );
  await compile(`main.${extension}`);
}

async function compile(file: string, options?: object): Promise<void> {
  await writeProject(file, options);
  await outputOf(process.execPath, [TSC, "-p", `tsconfig.${file}.json`], project.path);
}

/** A tsconfig for one file: as strict as can be, with the libraries that a web page has. */
async function writeProject(file: string, options: object = {}): Promise<void> {
  const compilerOptions = {
    target: "es2022",
    lib: ["es2022", "dom"],
    types: [],
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    skipLibCheck: false,
    ...options,
  };
  const text = JSON.stringify({ compilerOptions, files: [file] });
  await writeFile(join(project.path, `tsconfig.${file}.json`), text);
}

function sameTypes(sources: string): string {
  return `
    import type * as Packed from "@kato-rpc/client";
    import type * as Source from ${sources};
    type Same<A, B> =
      (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
    export const inputs: Same<Packed.KatoInputs, Source.KatoInputs> = true;
    export const outputs: Same<Packed.KatoOutputs, Source.KatoOutputs> = true;
    export const codes: Same<Packed.KatoErrorCode, Source.KatoErrorCode> = true;
    export const options: Same<Packed.KatoClientOptions, Source.KatoClientOptions> = true;
  `;
}

/** The modules that a file names, once each. */
function importsOf(code = ""): string[] {
  const names = Array.from(code.matchAll(/(?:from |import\()"([^"]+)"/g), ([, name = ""]) => name);
  return [...new Set(names)].toSorted();
}

function expectExercised(json: string): void {
  expect(JSON.parse(json)).toEqual({
    times: Array.from({ length: 250 }, (_, i) => i + 1),
    first: ["a0", "b0"],
    length: 250,
    code: "SESSION_NOT_FOUND",
    isDate: true,
  });
}

/** What every browser has, and nothing that only Node has. */
function webGlobals() {
  const { fetch, URL, AbortController, AbortSignal, TextEncoder, crypto, performance } = globalThis;
  const timers = { setTimeout, clearTimeout };
  return { fetch, URL, AbortController, AbortSignal, TextEncoder, crypto, performance, ...timers };
}
