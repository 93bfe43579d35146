import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { BuildOptions, Plugin } from "rolldown";
import { build } from "rolldown";
import { dts } from "rolldown-plugin-dts";

/**
 * Writes `dist`, the package as it is published: one module in both formats, its declarations with the
 * router's types spelled out, and a manifest without anything of this workspace. It is a folder of its own because
 * the manifest beside the sources serves them, not the build, to server, console and tests.
 */
const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const DIST = pathOf("../dist/");

type Manifest = {
  dependencies: Record<string, string>;
  [field: string]: unknown;
};

/** Declarations that stand in for modules of which the published types need next to nothing. */
const STAND_INS = [
  { module: /\/api\/context\.ts$|^\.\/context\.ts$/, file: pathOf("context.d.ts") },
  { module: /^zod$/, file: pathOf("zod.d.ts") },
];

function standIns(): Plugin {
  return {
    name: "stand-ins",
    resolveId: {
      order: "pre",
      handler: (source) => STAND_INS.find(({ module }) => module.test(source))?.file,
    },
  };
}

const common = {
  input: { index: pathOf("../index.ts") },
  external: [/^@trpc\//, "superjson"],
} satisfies BuildOptions;

async function main(): Promise<void> {
  await rm(DIST, { recursive: true, force: true });
  await mkdir(DIST, { recursive: true });
  const module = { ...common, platform: "neutral", transform: { target: "es2022" } } as const;
  await build({ ...module, output: { dir: DIST, format: "es" } });
  await build({ ...module, output: { dir: DIST, format: "cjs", entryFileNames: "[name].cjs" } });
  await writeDeclarations();
  await cp(pathOf("../../../LICENSE"), `${DIST}LICENSE`);
  await cp(pathOf("../README.md"), `${DIST}README.md`);
  await writeFile(`${DIST}package.json`, `${JSON.stringify(await publishedManifest(), null, 2)}\n`);
}

async function writeDeclarations(): Promise<void> {
  const tsconfig = pathOf("../../../tsconfig.json");
  await build({
    ...common,
    plugins: [standIns(), dts({ emitDtsOnly: true, generator: "tsgo", tsconfig })],
    output: { dir: DIST, format: "es" },
  });
  const declarations = await readFile(`${DIST}index.d.ts`, "utf8");
  // `Symbol.asyncDispose` is in no library that a project has by default.
  const text = `/// <reference lib="esnext.disposable" />\n${declarations}`;
  await writeFile(`${DIST}index.d.ts`, text);
  await writeFile(`${DIST}index.d.cts`, text);
}

async function publishedManifest(): Promise<Manifest> {
  const text = await readFile(pathOf("../package.json"), "utf8");
  const { private: _, scripts: __, exports: ___, ...manifest } = JSON.parse(text) as Manifest;
  return {
    ...manifest,
    exports: {
      ".": {
        import: { types: "./index.d.ts", default: "./index.js" },
        require: { types: "./index.d.cts", default: "./index.cjs" },
      },
    },
    files: ["index.js", "index.d.ts", "index.cjs", "index.d.cts"],
  };
}

await main();
