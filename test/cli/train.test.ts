import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { completeTrainSpec } from "../../src/audit/index.ts";
import { declareTrainFlags, trainRequest } from "../../src/cli/train-flags.ts";
import { cifarFile } from "../audit/train-fixture.ts";
import { fedleak, freshFolder, start } from "./fedleak.ts";

const FILE = cifarFile(120);
const SMALL = ["train", "--cifar10", FILE, "--model", "mlp3", "--hidden", "16", "--batch", "8", "--threads", "1"];
const hashOf = (folder: string) =>
  createHash("sha256")
    .update(readFileSync(join(folder, "weights.safetensors")))
    .digest("hex");

describe("fedleak train", { timeout: 120_000 }, () => {
  test("tells in JSON where the weights are and how good they are; the report draws the partition", async () => {
    const out = join(freshFolder(), "fed");
    const flags = ["--clients", "5", "--rounds", "4", "--partition", "label-skew", "--capture", "client=1,round=0,3"];
    const ended = await fedleak([...SMALL, ...flags, "--evaluate-every", "2", "--out", out, "--json"]);
    expect(ended.stderr).not.toMatch(/error/);
    expect(ended.status).toBe(0);
    const told = JSON.parse(ended.stdout);
    expect(told).toMatchObject({ status: "finished", training: "fedavg", unit: "round", done: 4, out });
    expect(told.open.accuracy).toBeGreaterThanOrEqual(0);
    expect(told.assumptions.partition).toBe("label-skew, 2 classes a client");
    expect(existsSync(told.weights)).toBe(true);
    expect(readdirSync(join(out, "captured")).sort()).toEqual(["client-1-round-0", "client-1-round-3"]);
    const report = readFileSync(told.report, "utf8");
    expect(report).toContain("5 clients, each with");
    expect(report).toContain("of 2 classes");
    expect(ended.stderr).toMatch(/4\/4 rounds {2}.*ETA 0:00 {2}loss .*public/);
  });

  test("killed and resumed it ends with the same weights, bit for bit", async () => {
    const flags = ["--centralised", "--steps", "300", "--checkpoint-every", "20", "--evaluate-every", "50"];
    const whole = join(freshFolder(), "whole");
    expect((await fedleak([...SMALL, ...flags, "--out", whole])).status).toBe(0);
    for (const signal of ["SIGKILL", "SIGINT"] as const) {
      const out = join(freshFolder(), "part");
      const run = start([...SMALL, ...flags, "--out", out]);
      await run.until(/45\/300/);
      run.child.kill(signal);
      const ended = await run.ended;
      if (signal === "SIGINT") {
        expect(ended.status).toBe(130);
        expect(ended.stderr).toContain(`fedleak resume ${out}`);
      } else expect(ended.signal).toBe("SIGKILL");
      const resumed = await fedleak(["resume", out]);
      expect(resumed.stderr).not.toMatch(/error/);
      expect(resumed.status).toBe(0);
      expect(hashOf(out)).toBe(hashOf(whole));
    }
  });

  test("a second Ctrl-C ends it at once, though clients work in threads", async () => {
    const out = join(freshFolder(), "out");
    const run = start([
      ...SMALL,
      "--rounds",
      "9",
      "--local-steps",
      "100000",
      "--threads",
      "2",
      "--clients",
      "2",
      "--share",
      "1",
      "--out",
      out,
    ]);
    await run.until(/compiling/);
    await waited(4000); // until both are at work
    run.child.kill("SIGINT");
    await waited(1000); // longer than the echo of one key press
    run.child.kill("SIGINT");
    const { status, signal } = await run.ended;
    expect({ status, signal }).toEqual({ status: 130, signal: null });
  });

  test.each([
    [["--steps", "3"], "train --steps: the flag belongs to a centralised training; got a federation."],
    [["--capture", "client=3"], "client=3,round=0,20"],
    [["--partition", "label-skew", "--clients", "5", "--classes-per-client", "11"], "at most 10, the classes"],
  ])("%j is refused with a reason, and nothing is left", async (flags, complaint) => {
    const cwd = freshFolder();
    const ended = await fedleak([...SMALL, ...flags], cwd);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain(complaint);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe("trainRequest", () => {
  const requestOf = (...args: string[]) => {
    const command = declareTrainFlags(new Command())
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    return trainRequest(command.parse(args, { from: "user" }).opts());
  };

  test("every flag arrives in the spec", () => {
    const spec = completeTrainSpec(
      requestOf(
        ...[
          "--cifar10",
          "a,b",
          "--public",
          "0.2",
          "--test",
          "c",
          "--model",
          "mlp3",
          "--hidden",
          "9",
          "--bn-mode",
          "eval",
        ],
        ...[
          "--algorithm",
          "fedavg",
          "--rounds",
          "7",
          "--batch",
          "5",
          "--lr",
          "0.3",
          "--momentum",
          "0.4",
          "--send",
          "delta",
        ],
        ...[
          "--weight-decay",
          "0",
          "--schedule",
          "step",
          "--clip",
          "2",
          "--clients",
          "11",
          "--share",
          "0.5",
          "--local-steps",
          "6",
        ],
        ...["--partition", "quantity-skew", "--classes-per-client", "3", "--alpha", "4", "--bn-buffers", "local"],
        ...["--capture", "client=2,round=5,1", "--seed", "8", "--threads", "2", "--checkpoint-every", "3"],
        ...["--evaluate-every", "4", "--defence", "dp-sgd:epsilon=3", "--defence", "sparsify:percent=20"],
      ),
    );
    expect(spec).toMatchObject({
      ...{ training: "fedavg", length: 7, batchSize: 5, batchNorm: "eval", seed: 8, threads: 2 },
      ...{ checkpointEvery: 3, evaluateEvery: 4 },
      model: { name: "mlp3", options: { hidden: 9 } },
      data: { name: "cifar10", paths: [resolve("a"), resolve("b")], publicShare: 0.2, test: resolve("c") },
      optimiser: { learningRate: 0.3, momentum: 0.4, weightDecay: 0, schedule: "step", clip: 2 },
      federation: {
        ...{ clients: 11, share: 0.5, localSteps: 6, bnBuffers: "local", send: "delta" },
        partition: { name: "quantity-skew", classesPerClient: 3, alpha: 4 },
        capture: { client: 2, rounds: [1, 5] },
        defences: [
          { name: "dp-sgd", settings: { epsilon: 3, delta: 1e-5, clip: 1, sigma: 0 } },
          { name: "sparsify", settings: { percent: 20 } },
        ],
      },
    });
    expect(completeTrainSpec(requestOf("--local-epochs", "3")).federation.localEpochs).toBe(3);
  });

  test("a centralised training has its own defaults and flags", () => {
    const spec = completeTrainSpec(requestOf("--centralised", "--steps", "20"));
    expect([spec.training, spec.length, spec.optimiser.momentum]).toEqual(["centralised", 20, 0.9]);
    expect(completeTrainSpec(requestOf()).optimiser.momentum).toBe(0);
    expect(() => requestOf("--centralised", "--rounds", "3")).toThrow(
      "train --rounds: the flag belongs to a federation",
    );
    expect(() => requestOf("--centralised", "--algorithm", "fedavg")).toThrow("cannot be used with");
    expect(() => requestOf("--cifar10", "a.bin, ./a.bin")).toThrow('got "./a.bin" twice');
    expect(() => requestOf("--cifar10", "a.bin,")).toThrow("--cifar10: it must list paths, each once");
    expect(() => requestOf("--lr", "x")).toThrow("must be a number from 0 on");
    expect(() => completeTrainSpec(requestOf("--share", "0"))).toThrow("a number over 0, at most 1; got 0");
  });
});

function waited(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
