/**
 * The documents keep their word. Every `sh` block of the README runs, in order, in a checkout of its own, but for the two
 * that set the project up; the printed graph in ARCHITECTURE.md is what its program prints; what the documents name is
 * there, and every command in their blocks has the flags that it is given.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Command } from "commander";
import { beforeAll, describe, expect, test } from "vitest";
import { commandLineBundle } from "./cli/bundle.ts";
import { freshFolder, imageFolder, start } from "./cli/fedleak.ts";
import { requireShared, sharedPath } from "./shared.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MANUAL = readdirSync(join(ROOT, "docs")).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : []));
const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", ...MANUAL];
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const README = read("README.md");

/** Folders of test material that the blocks may name. */
const MATERIAL = ["golden", "onnx"];

/** What a folder that a command leaves says of itself, and the page beside it. */
const PAGES: Readonly<Record<string, string>> = {
  "record.json": "report.html",
  "comparison.json": "report.html",
  "explain.json": "explain.html",
  "tradeoff.json": "report.html",
};

const isSetUp = (block: string) => block.startsWith("npm ci");
const runnable = blocksOf(README, "sh").filter((block) => !isSetUp(block));

describe("the README's blocks", () => {
  const cwd = checkout();

  beforeAll(async () => {
    renameSync(await photos(), join(cwd, "photos"));
    for (const name of MATERIAL) {
      const path = sharedPath(name);
      if (path) symlinkSync(path, join(cwd, name));
    }
    await stoppedRun(cwd, "runs/stopped");
  });

  test("set the project up with the two commands that the package and the CI run have", () => {
    expect(blocksOf(README, "sh").filter(isSetUp)).toEqual(["npm ci && npm run demo", "npm ci && npm test"]);
    const { scripts } = JSON.parse(read("package.json"));
    expect(scripts).toMatchObject({
      fedleak: "node --import tsx src/cli/main.ts", // the blocks below run the same program from its bundle: a third of the time
      demo: expect.stringMatching(/ demo$/),
      test: expect.stringMatching(/^vitest run/),
    });
    expect(read(".ci/run")).toMatch(/^npm ci$[\s\S]*^npm test\b/m);
  });

  test.for(runnable.map((block) => ({ title: block.split("\n")[0], block })))("$title", async ({ block }, context) => {
    for (const [name] of block.matchAll(/\b(?:golden|onnx)\/[\w.-]+/g)) requireShared(context, name);
    const driver = /VK_DRIVER_FILES=(\S+)/.exec(block)?.[1];
    if (driver && !existsSync(driver)) context.skip(`needs ${driver}, which comes with Debian's chromium`);
    await bash(block, cwd); // rejects, with what was printed, unless the exit status is 0
  });

  test("leave the runs that they name, finished and with a report", () => {
    const named = runnable.flatMap((block) => Array.from(block.matchAll(/runs\/[\w-]+/g), ([path]) => path));
    expect(named).toContain("runs/first");
    for (const path of named) {
      const files = readdirSync(join(cwd, path));
      const [record, ...more] = files.filter((file) => file in PAGES);
      expect([record, more], path).toEqual([expect.any(String), []]);
      expect(files, path).toContain(PAGES[record!]);
      expect(JSON.parse(readFileSync(join(cwd, path, record!), "utf8")).status, path).toBe("finished");
    }
  });
});

test("the printed graph in ARCHITECTURE.md is what its program prints", async () => {
  const cwd = checkout();
  const [[program, ...more], [printed]] = ["ts", "text"].map((language) =>
    blocksOf(read("ARCHITECTURE.md"), language),
  ) as [string[], string[]];
  expect(more).toEqual([]);
  writeFileSync(join(cwd, "example.ts"), program!);
  expect((await bash("node --import tsx example.ts", cwd)).stdout.trimEnd()).toBe(printed);
});

test("the README leads to every page of the manual", () => {
  expect(MANUAL.filter((page) => !README.includes(`](${page})`))).toEqual([]);
});

describe.each(DOCUMENTS)("%s", (document) => {
  const text = read(document);
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);
  const words = [...spans, ...blocksOf(text, "sh")].flatMap((code) => code.split(/\s+/));

  test("links to and names files that are there", () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path!);
    const paths = words.filter((word) => /^(src|test|bench|docs)\/[\w./-]+$/.test(word));
    const linked = links.map((path) => join(dirname(document), path));
    expect([...linked, ...paths].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("names scripts that the package has", () => {
    const { scripts } = JSON.parse(read("package.json"));
    const run = [...text.matchAll(/npm run (?:-s )?([a-z]+)/g)].map(([, name]) => name!);
    expect(run.filter((name) => !(name in scripts))).toEqual([]);
  });

  test("names flags that a command has", async () => {
    const named = words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.replace(/=.*$/, ""));
    const known = new Set([...(await flags()).values()].flat());
    expect([...new Set(named)].filter((flag) => !known.has(flag))).toEqual([]);
  });

  test("gives each command flags that it has", async () => {
    const known = await flags();
    for (const [line, command, rest] of commandsOf(text)) {
      expect([...known.keys()], line).toContain(command);
      const given = rest!.split(/\s+/).filter((word) => word.startsWith("--"));
      expect(given.filter((flag) => !known.get(command!)!.includes(flag))).toEqual([]);
    }
  });
});

/** The fenced blocks of a language, without their fences. */
function blocksOf(text: string, language: string): string[] {
  return Array.from(text.matchAll(/^```(\w+)\n([\s\S]*?)\n```$/gm))
    .filter(([, name]) => name === language)
    .map(([, , block]) => block!);
}

/** A folder that looks like this one but has no runs, so that commands write into it and nowhere else; `fedleak` is its bundle. */
function checkout(): string {
  const folder = freshFolder();
  const OWN = [".git", "dist", "runs", "photos", "priors", "package.json", ...MATERIAL];
  const about = JSON.parse(read("package.json"));
  const scripts = { ...about.scripts, fedleak: `node ${commandLineBundle()}` };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...about, scripts }));
  for (const entry of readdirSync(ROOT)) if (!OWN.includes(entry)) symlinkSync(join(ROOT, entry), join(folder, entry));
  return folder;
}

/** Two classes of three images: enough for a batch and another one. */
function photos(): Promise<string> {
  const images = (level: number) => ({ "a.png": level, "b.png": level + 40, "c.png": level + 80 });
  return imageFolder({ cats: images(20), dogs: images(60) });
}

/** A run that Ctrl-C ended halfway. */
async function stoppedRun(cwd: string, out: string): Promise<void> {
  mkdirSync(join(cwd, "runs"), { recursive: true });
  const small = ["--model", "lenet-sigmoid", "--size", "8", "--batch", "1", "--attack", "inverting-gradients"];
  const run = start(["attack", ...small, "--iterations", "600", "--out", out], cwd);
  await run.until(/^60\/600/m);
  run.child.kill("SIGINT");
  expect((await run.ended).status).toBe(130);
}

function bash(script: string, cwd: string): Promise<{ stdout: string; stderr: string }> {
  const command = ["-c", `set -euo pipefail\n${script}`];
  return promisify(execFile)("bash", command, { cwd, timeout: 110_000, killSignal: "SIGKILL" });
}

/** Each call of fedleak in the blocks of a document: the line, the command's name, and the words after it. */
function commandsOf(text: string): RegExpMatchArray[] {
  const lines = blocksOf(text, "sh").flatMap((block) => block.replaceAll("\\\n", " ").split("\n"));
  return lines.flatMap((line) => [...line.matchAll(/^(?:npm run -s )?fedleak (?:-- )?([\w-]+)(.*)$/g)]);
}

let known: Promise<ReadonlyMap<string, readonly string[]>> | undefined;

/** The flags of every command, by its name; those of the timings under "bench". */
function flags(): Promise<ReadonlyMap<string, readonly string[]>> {
  known ??= readFlags();
  return known;
}

async function readFlags(): Promise<ReadonlyMap<string, readonly string[]>> {
  const program = new Command();
  for (const [, name, file] of read("src/cli/main.ts").matchAll(/import \{ (declare\w+) \} from "\.\/([\w-]+\.ts)"/g)) {
    (await import(join(ROOT, "src/cli", file!)))[name!](program, () => {});
  }
  const bench = (await bash("node --import tsx bench/main.ts step --help", ROOT)).stdout;
  const own = program.commands.map((c): [string, string[]] => [
    c.name(),
    ["--help", ...c.options.map(({ long }) => long!)],
  ]);
  return new Map([...own, ["bench", bench.match(/--[a-z][a-z0-9-]*/g)!]]);
}
