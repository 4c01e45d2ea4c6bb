import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { declareExplain } from "../../src/cli/explain.ts";
import { fedleak, freshFolder } from "./fedleak.ts";

/** An attack of a second on a small network. */
const TINY = [
  ...["explain", "--attack", "fedleak", "--model", "lenet-sigmoid", "--size", "8", "--batch", "2", "--grant", "labels"],
  ...["--threads", "1", "--iterations", "4", "--probes", "3", "--draws", "2", "--entries", "12"],
];

test("from the flags of an attack to a report and one JSON object", async () => {
  const cwd = freshFolder();
  const { stdout, stderr, status } = await fedleak([...TINY, "--json"], cwd);
  expect(stderr).not.toMatch(/error/);
  expect(status).toBe(0);
  expect(stdout.trim().split("\n")).toHaveLength(1);
  const told = JSON.parse(stdout);
  expect(told).toMatchObject({
    status: "finished",
    attack: "fedleak",
    model: "lenet-sigmoid",
    correlations: { "last-layer": { sampled: 12 } },
    assumptions: { "batch-size": expect.any(String) },
  });
  expect(Object.keys(told.parts)).toEqual(["convergence", "noise", "sensitivity", "damping"]);
  expect(told.parts.convergence.finding).toMatch(/^With both techniques the median μ\/L is /);
  expect(told.parts.sensitivity.finding).toMatch(/published: 0\.74/);
  expect(told.out).toMatch(/^runs\/explain-fedleak-lenet-sigmoid-\d{8}-\d{6}$/);
  expect(stderr).toMatch(/^\d+\/16 {2}ETA \d+:\d\d$/m);
  const page = readFileSync(join(cwd, told.report), "utf8");
  expect(page.match(/<svg [^>]*role="img"/g)).toHaveLength(5 + 3 + 2 + 2);
  expect(JSON.parse(readFileSync(join(cwd, told.numbers), "utf8")).format).toBe("fedleak-explanation");
});

/** Runs the command in this process, where it must be refused; the error's words. */
async function refusal(args: readonly string[]): Promise<string> {
  const said: string[] = [];
  const program = new Command().exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
  declareExplain(program, () => {});
  for (const command of program.commands)
    command.exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
  const error = await program.parseAsync([...TINY, ...args], { from: "user" }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(error).toBeDefined();
  return [...said, error!.message].join("\n");
}

describe("bad input is refused before anything is written", () => {
  test.each([
    ["an unknown part", ["--only", "nois"], /must list some of convergence, noise, .* Did you mean noise\?/],
    ["too few probes", ["--probes", "1"], /'--probes <n>' argument '1' is invalid. It must be a whole number from 2/],
    ["no entries", ["--entries", "two"], /argument 'two' is invalid/],
    ["an unknown attack", ["--attack", "fedlek"], /attack: name must be one of .*Did you mean "fedleak"\?/],
    ["auto", ["--attack", "auto"], /explain: it must be told which attack's .*got auto, .*among .*r-gap, fedleak-plus/],
    ["a setting out of range", ["--gamma", "2"], /setting gamma: value must be a number in 0 … 1/],
  ])("%s", async (_, flags, words) => {
    const out = join(freshFolder(), "why");
    expect(await refusal([...flags, "--out", out])).toMatch(words);
    expect(existsSync(out)).toBe(false);
  });
});
