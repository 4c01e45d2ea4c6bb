import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** A source file by its path under `src`, with `/` between folders. */
type Sources = Readonly<Record<string, string>>;

/**
 * Which layers each layer is built on, directly (DESIGN section 3); what those are built on it may import too.
 *
 * Beyond the design's table: `fl` and `attacks` run programs, so they import `runtime`; `attacks` has a parameterisation
 * that is a network of `models`; `onnx` reads files with the schema `runtime` writes them with, and folds by its reference.
 */
const BUILT_ON: Readonly<Record<string, readonly string[]>> = {
  util: [],
  tensor: ["util"],
  graph: ["util", "tensor"],
  runtime: ["graph"],
  nn: ["graph"],
  models: ["nn"],
  onnx: ["models", "runtime"],
  optim: ["graph"],
  data: ["tensor"],
  fl: ["nn", "optim", "data", "runtime"],
  defences: ["fl"],
  attacks: ["fl", "models", "runtime"],
  metrics: ["runtime"],
  secure: ["util", "tensor"],
  audit: ["onnx", "defences", "attacks", "metrics", "secure"],
  report: ["util"], // and types of audit
  cli: ["audit", "report"],
};

/** Layers that may be imported for their types only. */
const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = { report: ["audit"] };

/** The files of a layer that others may import. */
const ENTRIES = new Set(["index.ts", "browser.ts"]);

/** Files below `cli` that read or write files, or load what only Node has; everything else also runs in a browser. */
const NODE_CORNERS = new Set([
  "audit/cache-folder.ts",
  "audit/captured/audit/files.ts",
  "audit/captured/audit/truth.ts",
  "audit/captured/payload.ts",
  "audit/captured/read.ts",
  "audit/compare/compare-folder.ts",
  "audit/explain/files.ts",
  "audit/folder-lock.ts",
  "audit/hub-cache.ts",
  "audit/open-images.ts",
  "audit/prior/load.ts",
  "audit/prior/train.ts",
  "audit/profile.ts",
  "audit/program-store.ts",
  "audit/rate-earlier.ts",
  "audit/rate.ts",
  "audit/resume.ts",
  "audit/run-files.ts",
  "audit/run-folder.ts",
  "audit/tradeoff/tradeoff-folder.ts",
  "audit/train/capture-files.ts",
  "audit/train/files.ts",
  "audit/versions.ts",
  "audit/write-file.ts",
  "data/decode-image.ts",
  "data/embedded.ts",
  "data/encode-png.ts",
  "data/files.ts",
  "data/image-folder.ts",
  "data/read-bytes.ts",
  "runtime/threads/program-thread.ts",
  "runtime/threads/thread-pool.ts",
  "runtime/devices.ts", // loads onnxruntime's binding for Node; a browser's will be chosen here
]);

/** Packages that are of no use in a browser. */
const NODE_PACKAGES = new Set(["onnxruntime-node", "piscina", "sharp"]);

const MOST_LINES = 300;

interface Import {
  /** The file that imports. */
  readonly from: string;
  /** As it is written: a relative path, a package or a `node:` module. */
  readonly specifier: string;
  /** The imported file of ours, or undefined for a package. */
  readonly to: string | undefined;
  readonly typeOnly: boolean;
}

/** Every broken rule as a sentence; empty for sound sources. */
function violations(sources: Sources): string[] {
  const imports = Object.entries(sources).flatMap(([from, text]) => importsOf(from, text));
  return [
    ...imports.flatMap((i) => layerViolations(i)),
    ...imports.flatMap((i) => nodeViolations(i)),
    ...cycles(imports).map((cycle) => `${cycle.join(" → ")}: a cycle`),
    ...Object.entries(sources).flatMap(([file, text]) => fileViolations(file, text)),
  ];
}

function importsOf(from: string, text: string): Import[] {
  const code = withoutComments(text);
  const statements = code.matchAll(/^\s*(?:import|export)\s+(type\s+)?([^;"'`]*?\sfrom\s+)?["']([^"'\n]+)["']/gm);
  const calls = code.matchAll(/\bimport\s*\(\s*["']([^"'\n]+)["']/g);
  return [
    ...Array.from(statements, ([, type, names, specifier]) => ({
      specifier: specifier!,
      typeOnly: type !== undefined || onlyTypes(names),
    })),
    ...Array.from(calls, ([, specifier]) => ({ specifier: specifier!, typeOnly: false })),
  ].map((found) => ({
    ...found,
    from,
    to: found.specifier.startsWith(".") ? resolved(from, found.specifier) : undefined,
  }));
}

/** `{ type A, type B } from` */
function onlyTypes(names: string | undefined): boolean {
  const list = /^\{([^}]*)\}/
    .exec(names?.trim() ?? "")?.[1]
    ?.split(",")
    .filter((name) => name.trim() !== "");
  return list !== undefined && list.length > 0 && list.every((name) => name.trim().startsWith("type "));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/(^|\s)\/\/.*$/gm, "$1");
}

function resolved(from: string, specifier: string): string {
  return join(dirname(from), specifier).split(sep).join("/");
}

const layerOf = (file: string) => file.split("/")[0]!;

/** All layers that a layer may import. */
function allowed(layer: string): Set<string> {
  const found = new Set<string>();
  const visit = (at: string) => {
    for (const below of BUILT_ON[at] ?? []) {
      if (!found.has(below)) {
        found.add(below);
        visit(below);
      }
    }
  };
  visit(layer);
  return found;
}

function layerViolations({ from, to, specifier, typeOnly }: Import): string[] {
  if (to === undefined) return [];
  const [own, other] = [layerOf(from), layerOf(to)];
  if (to.startsWith("..")) return [`${from}: imports ${specifier} from outside src`];
  if (own === other) return [];
  const reached = allowed(own).has(other) || (typeOnly && (TYPES_ONLY[own] ?? []).includes(other));
  const entry = to.split("/").length === 2 && ENTRIES.has(to.split("/")[1]!);
  return [
    ...(reached ? [] : [`${from}: ${own} must not import ${other}`]),
    ...(entry ? [] : [`${from}: must import ${other} through its index.ts, not ${specifier}`]),
  ];
}

function nodeViolations({ from, specifier }: Import): string[] {
  const nodeOnly = specifier.startsWith("node:") || NODE_PACKAGES.has(specifier);
  return nodeOnly && layerOf(from) !== "cli" && !NODE_CORNERS.has(from)
    ? [`${from}: imports ${specifier}, which no browser has`]
    : [];
}

function fileViolations(file: string, text: string): string[] {
  const lines = text.trimEnd().split("\n").length;
  const prints = /\bconsole\s*\.|\bprocess\s*\.\s*(stdout|stderr)\b/.test(withoutComments(text));
  return [
    ...(layerOf(file) in BUILT_ON ? [] : [`${file}: ${layerOf(file)} is no layer of the table`]),
    ...(lines > MOST_LINES ? [`${file}: ${lines} lines, more than ${MOST_LINES}`] : []),
    ...(prints && layerOf(file) !== "cli" ? [`${file}: prints, which only cli does`] : []),
  ];
}

/** Each circle of files that import each other, type-only imports included, once. */
function cycles(imports: readonly Import[]): string[][] {
  const edges = new Map<string, string[]>();
  for (const { from, to } of imports) if (to) edges.set(from, [...(edges.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[][] = [];
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return found;
}

function readSources(): Sources {
  const root = fileURLToPath(new URL("../src", import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return Object.fromEntries(
    files.map((file) => [
      relative(root, join(root, file)).split(sep).join("/"),
      readFileSync(join(root, file), "utf8"),
    ]),
  );
}

test("the sources keep the rules", () => {
  const sources = readSources();
  expect(Object.keys(sources).length).toBeGreaterThan(100); // the scan found them
  const found = Object.entries(sources).flatMap(([file, text]) => importsOf(file, text));
  for (const { from, to } of found) if (to) expect(sources[to], `${from} imports ${to}`).toBeDefined();
  expect(violations(sources)).toEqual([]);
});

test("the node corners are there and need their exception", () => {
  const sources = readSources();
  const needed = Object.entries(sources).filter(([file, text]) =>
    importsOf(file, text).some(({ specifier }) => specifier.startsWith("node:") || NODE_PACKAGES.has(specifier)),
  );
  const below = needed.map(([file]) => file).filter((file) => layerOf(file) !== "cli");
  expect(below.sort()).toEqual([...NODE_CORNERS].sort());
});

describe("each rule catches what breaks it", () => {
  const cases: readonly (readonly [what: string, sources: Sources, complaint: RegExp])[] = [
    ["a layer above", { "graph/a.ts": 'import { x } from "../runtime/index.ts";' }, /graph must not import runtime/],
    [
      "a layer above, types",
      { "tensor/a.ts": 'import type { X } from "../fl/index.ts";' },
      /tensor must not import fl/,
    ],
    ["attacks → defences", { "attacks/a.ts": 'import { x } from "../defences/index.ts";' }, /must not import defences/],
    ["attacks → metrics", { "attacks/a.ts": 'export { x } from "../metrics/index.ts";' }, /must not import metrics/],
    ["metrics → attacks", { "metrics/a.ts": 'import { x } from "../attacks/index.ts";' }, /must not import attacks/],
    ["defences → attacks", { "defences/a.ts": 'import { x } from "../attacks/index.ts";' }, /must not import attacks/],
    ["audit → report", { "audit/a.ts": 'import { x } from "../report/index.ts";' }, /audit must not import report/],
    ["values of audit", { "report/a.ts": 'import { x } from "../audit/index.ts";' }, /report must not import audit/],
    [
      "mixed import",
      { "report/a.ts": 'import { type X, y } from "../audit/index.ts";' },
      /report must not import audit/,
    ],
    ["past the index", { "fl/a.ts": 'import { x } from "../nn/model.ts";' }, /through its index\.ts/],
    ["an inner index", { "fl/a.ts": 'import { x } from "../graph/ops/index.ts";' }, /through its index\.ts/],
    ["several lines", { "graph/a.ts": 'import {\n  x,\n  y,\n} from "../nn/index.ts";' }, /graph must not import nn/],
    ["a dynamic import", { "graph/a.ts": 'const x = await import("../nn/index.ts");' }, /graph must not import nn/],
    ["for its effect", { "graph/a.ts": 'import "../nn/index.ts";' }, /graph must not import nn/],
    ["outside src", { "graph/a.ts": 'import x from "../../package.json";' }, /outside src/],
    ["node below cli", { "fl/a.ts": 'import { readFile } from "node:fs/promises";' }, /no browser has/],
    ["sharp elsewhere", { "metrics/a.ts": 'import sharp from "sharp";' }, /no browser has/],
    [
      "a cycle",
      {
        "nn/a.ts": 'import { b } from "./b.ts";',
        "nn/b.ts": 'import type { A } from "./c.ts";',
        "nn/c.ts": 'export * from "./a.ts";',
      },
      /nn\/a\.ts → nn\/b\.ts → nn\/c\.ts → nn\/a\.ts: a cycle/,
    ],
    ["a long file", { "nn/a.ts": "x;\n".repeat(301) }, /301 lines/],
    ["console", { "nn/a.ts": "console.log(1);" }, /only cli does/],
    ["stdout", { "audit/a.ts": "process.stdout.write(x);" }, /only cli does/],
    ["an unknown layer", { "helpers/a.ts": "export const a = 1;" }, /no layer/],
  ];
  test.each(cases)("%s", (_, sources, complaint) => {
    expect(violations(sources).join("\n")).toMatch(complaint);
  });

  test("and lets the rest be", () => {
    const sound: Sources = {
      "cli/a.ts": 'import { readFile } from "node:fs";\nimport { x } from "../audit/index.ts";\nconsole.log(x);',
      "report/a.ts": 'import type { X } from "../audit/index.ts";\nimport { type Y } from "../audit/index.ts";',
      "fl/a.ts": 'import { n } from "../graph/index.ts"; // import { x } from "../attacks/index.ts"',
      "nn/a.ts": `/** import { x } from "../fl/index.ts" */\n${"x;\n".repeat(299)}`,
    };
    expect(violations(sound)).toEqual([]);
  });
});
