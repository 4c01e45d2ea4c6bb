/**
 * The documents keep their word. Every `sh` block of the README runs, in order, in a checkout of its own, but for the two
 * that set the project up; the printed graph in ARCHITECTURE.md is what its program prints; what the documents name is there.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { freshFolder, imageFolder, start } from "./cli/fedleak.ts";
import { requireShared, sharedPath } from "./shared.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const README = read("README.md");

const isSetUp = (block: string) => block.startsWith("npm ci");
const runnable = blocksOf(README, "sh").filter((block) => !isSetUp(block));

describe("the README's blocks", () => {
  const cwd = checkout();

  beforeAll(async () => {
    renameSync(await photos(), join(cwd, "photos"));
    const golden = sharedPath("golden");
    if (golden) symlinkSync(golden, join(cwd, "golden"));
    await stoppedRun(cwd, "runs/stopped");
  });

  test("set the project up with the two commands that the package and the CI run have", () => {
    expect(blocksOf(README, "sh").filter(isSetUp)).toEqual(["npm ci && npm run demo", "npm ci && npm test"]);
    const { scripts } = JSON.parse(read("package.json"));
    expect(scripts).toMatchObject({
      demo: expect.stringMatching(/ demo$/),
      test: expect.stringMatching(/^vitest run/),
    });
    expect(read(".ci/run")).toMatch(/^npm ci$[\s\S]*^npm test\b/m);
  });

  test.for(runnable.map((block) => ({ title: block.split("\n")[0], block })))("$title", async ({ block }, context) => {
    for (const [name] of block.matchAll(/golden\/[\w.-]+/g)) requireShared(context, name);
    const driver = /VK_DRIVER_FILES=(\S+)/.exec(block)?.[1];
    if (driver && !existsSync(driver)) context.skip(`needs ${driver}, which comes with Debian's chromium`);
    await bash(block, cwd); // rejects, with what was printed, unless the exit status is 0
  });

  test("leave the runs that they name, finished and with a report", () => {
    const named = [...README.matchAll(/runs\/[\w-]+/g)].map(([path]) => path);
    expect(named).toContain("runs/first");
    for (const path of named) {
      expect(JSON.parse(readFileSync(join(cwd, path, "record.json"), "utf8")).status, path).toBe("finished");
      expect(existsSync(join(cwd, path, "report.html")), path).toBe(true);
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

describe.each(DOCUMENTS)("%s", (document) => {
  const text = read(document);
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);
  const words = [...spans, ...blocksOf(text, "sh")].flatMap((code) => code.split(/\s+/));

  test("links to and names files that are there", () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path!);
    const paths = words.filter((word) => /^(src|test|bench|docs)\/[\w./-]+$/.test(word));
    expect([...links, ...paths].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("names scripts that the package has", () => {
    const { scripts } = JSON.parse(read("package.json"));
    const run = [...text.matchAll(/npm run (?:-s )?([a-z]+)/g)].map(([, name]) => name!);
    expect(run.filter((name) => !(name in scripts))).toEqual([]);
  });

  test("names flags that a command has", async () => {
    const named = words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.replace(/=.*$/, ""));
    const known = await flags();
    expect([...new Set(named)].filter((flag) => !known.has(flag))).toEqual([]);
  });
});

/** The fenced blocks of a language, without their fences. */
function blocksOf(text: string, language: string): string[] {
  return Array.from(text.matchAll(/^```(\w+)\n([\s\S]*?)\n```$/gm))
    .filter(([, name]) => name === language)
    .map(([, , block]) => block!);
}

/** A folder that looks like this one but has no runs, so that commands write into it and nowhere else. */
function checkout(): string {
  const folder = freshFolder();
  const OWN = [".git", "dist", "runs", "photos", "golden"];
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

let known: Promise<ReadonlySet<string>> | undefined;

/** Every flag that the help of a command tells. */
function flags(): Promise<ReadonlySet<string>> {
  known ??= Promise.all(
    ["fedleak -- attack", "fedleak -- resume x", "fedleak -- verify x", "fedleak -- profile", "bench -- step"].map(
      async (command) => (await bash(`npm run -s ${command} --help`, ROOT)).stdout,
    ),
  ).then((texts) => new Set(texts.join("\n").match(/--[a-z][a-z0-9-]*/g)));
  return known;
}
