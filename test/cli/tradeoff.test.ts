import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { LADDERS } from "../../src/audit/index.ts";
import { declareTradeoff } from "../../src/cli/tradeoff.ts";
import { parseDefences, tradeoffPlan, trainingOptions } from "../../src/cli/tradeoff-flags.ts";
import { fedleak, freshFolder, start } from "./fedleak.ts";

const SMALL = [
  ...["tradeoff", "--defences", "quantise:bits=1", "--attacks", "inverting-gradients", "--seeds", "1"],
  ...["--at", "trained", "--evaluations", "30", "--model", "mlp3", "--hidden", "4", "--size", "8", "--public", "0.25"],
  ...["--rounds", "6", "--clients", "2", "--share", "1", "--batch", "2", "--threads", "1", "--checkpoint-every", "2"],
];

/** What does not depend on the clock. */
function numbersIn(folder: string): unknown {
  const { table, status } = JSON.parse(readFileSync(join(folder, "tradeoff.json"), "utf8"));
  return { table, status };
}

describe("fedleak tradeoff", { timeout: 300_000 }, () => {
  test("killed in a training and in an attack, and resumed, it ends with the same table; advise reads it", async () => {
    const whole = join(freshFolder(), "whole");
    const ended = await fedleak([...SMALL, "--out", whole, "--json"]);
    expect(ended.stderr).not.toMatch(/error/);
    expect(ended.status).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ status: "finished", out: whole, failures: [] });
    expect(ended.stderr).toMatch(
      /1\/2 models, 1\/2 attacks {2}ETA .* none: inverting-gradients at trained weights, seed 0/,
    );
    expect(
      readdirSync(whole)
        .filter((name) => name !== "cells")
        .sort(),
    ).toEqual(["figure.svg", "report.html", "table.csv", "table.md", "tradeoff.json"]);

    const out = join(freshFolder(), "part");
    const run = start([...SMALL, "--out", out]);
    await run.until(/none: trained/); // now its attack begins
    run.child.kill("SIGKILL");
    expect((await run.ended).signal).toBe("SIGKILL");
    expect(existsSync(join(out, "report.html"))).toBe(false);
    const resumed = await fedleak(["resume", out]);
    expect(resumed.stderr).not.toMatch(/error/);
    expect(resumed.stdout).toMatch(/Updates at trained weights\nsetting +accuracy/);
    expect(resumed.status).toBe(0);
    expect(numbersIn(out)).toEqual(numbersIn(whole));

    const advice = await fedleak(["advise", join(out, "tradeoff.json"), "--keep-accuracy", "0.5", "--json"]);
    const told = JSON.parse(advice.stdout);
    expect(told.judged).toHaveLength(2);
    expect(told.words[0]).toMatch(/\.$/);
    expect(advice.status).toBe(told.outcome === "recommended" ? 0 : 1);
  });

  test.each([
    [["--defences", "dpsgd"], 'Did you mean "dp-sgd"?'],
    [["--defences", "dp-sgd", "--strengths", ""], "--strengths: it must name at least one strength"],
    [["--defences", "dp-sgd:epsilon=0"], "defence dp-sgd epsilon: it must be a number above 0"],
  ])("%j is refused with a reason, and nothing is left", async (flags, complaint) => {
    const cwd = freshFolder();
    const ended = await fedleak(["tradeoff", ...flags], cwd);
    expect(ended.stderr).toContain(complaint);
    expect(ended.status).toBe(2);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe("the plan of the flags", () => {
  const planOf = (...args: string[]) => {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
    declareTradeoff(program, () => undefined);
    const command = program.commands[0]!;
    command.exitOverride();
    return tradeoffPlan(command.parseOptions(args).unknown.length === 0 ? command.opts() : {});
  };

  test("has every flag in it", () => {
    const plan = planOf(
      ...[
        "--defences",
        "sign,soteria:percentile=30+sparsify:percent=70",
        "--local-steps",
        "1,4",
        "--strengths",
        "weak",
      ],
      ...["--attacks", "fedleak-release,inverting-gradients:tv=0.1", "--at", "initial", "--seeds", "5"],
      ...["--evaluations", "70", "--attack-batch", "3", "--attack-data", "other.bin", "--draw", "uniform"],
      ...["--grant", "labels,batch-size", "--prior", "p", "--mismatched-floor", "--cifar10", "a.bin,b.bin"],
      ...["--test", "t.bin", "--lr", "0.2", "--rounds", "9", "--bn-mode", "eval"],
    );
    expect(plan.cells.map(({ name }) => name)).toEqual(
      [1, 4].flatMap((steps) =>
        ["none", "sign", "soteria-percentile-30-and-sparsify-percent-70"].map((name) => `${name}-s${steps}`),
      ),
    );
    expect(plan.attack).toMatchObject({
      attacks: [{ as: "fedleak-release" }, { as: "inverting-gradients:tv=0.1", settings: { tv: "0.1" } }],
      ...{ seeds: [0, 1, 2, 3, 4], evaluations: 70, at: ["initial"], batchSize: 3, draw: "uniform" },
      ...{ grants: ["labels"], data: resolve("other.bin"), prior: resolve("p"), mismatchedFloor: true },
    });
    expect(plan.train).toMatchObject({ length: 9, batchNorm: "eval", optimiser: { learningRate: 0.2 } });
    expect(plan.train.data).toMatchObject({ paths: [resolve("a.bin"), resolve("b.bin")], test: resolve("t.bin") });
  });

  test("attacks once not knowing the defence and once knowing it, unless told otherwise", () => {
    const { attacks } = planOf("--defences", "sign").attack;
    expect(attacks.map(({ as }) => as)).toEqual(["fedleak-release", "fedleak-release:adaptive=true"]);
  });

  test("refuses lists that are none", () => {
    expect(() => parseDefences("sign,,soteria")).toThrow("--defences: it must be a list of defences");
    expect(() => parseDefences("sign,x=1")).toThrow("--defence: it must be a name, or name:key=value");
    expect(() => planOf("--defences", "sign", "--local-steps", "1,0")).toThrow("whole numbers ≥ 1 as 1,4,12");
    expect(() => planOf("--defences", "sign", "--at", "late")).toThrow(/attack\.at/);
  });

  test("the flags of the training are those of train, but for what the cells say", () => {
    const names = trainingOptions().map((option) => option.attributeName());
    for (const name of ["cifar10", "model", "rounds", "batch", "clients", "partition", "seed"])
      expect(names).toContain(name);
    for (const name of ["defence", "capture", "centralised", "localSteps"]) expect(names).not.toContain(name);
  });

  test("the manual has a line for each ladder", () => {
    const manual = readFileSync(new URL("../../docs/tradeoff.md", import.meta.url), "utf8");
    for (const name of Object.keys(LADDERS)) expect(manual).toMatch(new RegExp(`^\\| \`${name}\``, "m"));
  });
});
