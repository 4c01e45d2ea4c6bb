import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { parseRecord, type RunRecord } from "../../src/audit/index.ts";
import { readSafetensors } from "../../src/tensor/index.ts";
import { fedleak, freshFolder, start } from "./fedleak.ts";

/** A network with BatchNorm and a generator, small enough for a second and long enough to be killed in the middle. */
const SMALL = [
  ...["attack", "--model", "resnet10", "--width", "4", "--activation", "sigmoid", "--size", "16", "--batch", "2"],
  ...["--grant", "labels", "--generator-channels", "4", "--iterations", "60", "--checkpoint-every", "7"],
];

function recordOf(folder: string): RunRecord {
  return parseRecord(readFileSync(join(folder, "record.json"), "utf8"), "record.json");
}

/** A hash of the exact pixels a run ended with: equal only when every bit is. */
function reconstructionOf(folder: string): string {
  const { tensors } = readSafetensors(readFileSync(join(folder, "images.safetensors")), "images");
  const { data } = tensors.reconstructions!;
  return createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");
}

function lastIteration(folder: string): number {
  const { metadata } = readSafetensors(readFileSync(join(folder, "state.safetensors")), "state");
  return Number(metadata.iteration);
}

/** A run that was stopped at a line of its progress; tried again when it ended first, as on a fast machine. */
async function stopped(at: RegExp, by: NodeJS.Signals) {
  for (let left = 5; ; left--) {
    const out = join(freshFolder(), "run");
    const run = start([...SMALL, "--out", out]);
    await run.until(at);
    run.child.kill(by);
    const ended = await run.ended;
    if (ended.status !== 0 || left === 1) return { out, ...ended };
  }
}

describe("a run", () => {
  const cwd = freshFolder();
  let [stdout, stderr] = ["", ""];
  beforeAll(async () => {
    const ended = await fedleak([...SMALL, "--json", "--peek", "30", "--mismatched-floor"], cwd);
    expect(ended.stderr).not.toMatch(/error/);
    expect(ended.status).toBe(0);
    [stdout, stderr] = [ended.stdout, ended.stderr];
  });
  const folder = () => join(cwd, "runs", readdirSync(join(cwd, "runs"))[0]!);

  test("ends with one JSON object that agrees with its record", () => {
    expect(stdout.trim().split("\n")).toHaveLength(1);
    const told = JSON.parse(stdout);
    const { results, status, seeds } = recordOf(folder());
    expect(status).toBe("finished");
    expect(told).toMatchObject({
      status,
      seed: seeds.run,
      iterations: 60,
      evaluations: 120,
      labels: { granted: true },
    });
    expect(told.psnrDb).toEqual(results!.psnrDb);
    expect(told.seconds).toBe(results!.seconds);
    expect(told.floors.flatGrey.psnrDb).toBe(results!.floors.flatGrey.psnrDb);
    expect(told.assumptions["batch-size"]).toMatch(/to the server/);
    expect(told.floors.mismatchedGradient.psnrDb).toBe(results!.floors.mismatchedGradient!.psnrDb);
    expect(join(cwd, told.out)).toBe(folder());
  });

  test("lies in a folder named after attack, model and time, with pictures that decode and a report", async () => {
    expect(folder()).toMatch(/fedleak-release-resnet10-\d{8}-\d{6}$/);
    const { width, height } = await sharp(join(folder(), "originals.png")).metadata();
    expect(width! / 2).toBeGreaterThanOrEqual(96); // two images, enlarged
    expect(height).toBeGreaterThanOrEqual(96);
    expect((await sharp(join(folder(), "reconstructions.png")).metadata()).width).toBe(width);
    expect((await sharp(join(folder(), "grid.png")).metadata()).height).toBeGreaterThan(height! * 1.8);
    expect(readFileSync(join(folder(), "report.html"), "utf8")).toMatch(/<!doctype html>[\s\S]*<\/html>/);
    expect(readdirSync(folder()).filter((file) => file.endsWith(".tmp"))).toEqual([]);
  });

  test("records what it assumed, the peeks included, and a curve of its own loss", () => {
    const { ledger, curve, spec, command } = recordOf(folder());
    const value = (name: string) => ledger.find(({ assumption }) => assumption === name)?.value;
    expect(value("labels")).toMatch(/granted/);
    expect(value("peek")).toBe("PSNR shown every 30 iterations");
    expect(value("mismatched-gradient")).toMatch(/other images of the same data/);
    expect(value("generator-channels")).toBe("4");
    expect(curve.map(({ iteration }) => iteration)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(curve.filter(({ peekPsnrDb }) => peekPsnrDb !== undefined).map((p) => p.iteration)).toEqual([30, 60]);
    expect(curve.at(-1)!.loss).toBeLessThan(curve[0]!.loss);
    expect(spec.model).toMatchObject({ options: { width: 4, classes: 8, inputShape: [3, 16, 16] } });
    expect(command).toBe(["fedleak", ...SMALL, "--json", "--peek", "30", "--mismatched-floor"].join(" "));
  });

  test("shows a line every tenth of the way where there is no terminal, with the PSNR only when peeked at", () => {
    const lines = stderr.split("\n").filter((line) => /^\d+\/60 /.test(line));
    expect(lines.map((line) => Number(line.split("/")[0]))).toEqual(
      [1, 2].flatMap(() => [6, 12, 18, 24, 30, 36, 42, 48, 54, 60]),
    );
    expect(lines[0]).toMatch(/^6\/60 {2}[\d.]+ it\/s {2}ETA \d+:\d\d {2}loss [\d.e-]+ {2}cosine -?[01]\.\d+$/);
    expect(lines[4]).toMatch(/PSNR \d+\.\d\d dB$/);
  });
});

test.each([
  ["2", /every pixel of the reconstruction must be finite; .* in iteration 2/],
  ["3", /must stay finite; .* in iteration 2/], // the next step meets the NaN
])(
  "a generator that paints NaN from finite weights, %s iterations: failed, pictures and no scores",
  async (iterations, words) => {
    const out = join(freshFolder(), "run");
    const { status, stdout } = await fedleak([
      ...["attack", "--model", "lenet-sigmoid", "--size", "8", "--batch", "1", "--threads", "1", "--peek", "1"],
      ...["--attack", "fedleak-release", "--generator-channels", "4", "--gamma", "0", "--optimiser", "sgd"],
      ...["--signed", "false", "--learning-rate", "1e6", "--weight-decay", "1e6"],
      ...["--iterations", iterations, "--out", out],
    ]);
    expect(status).toBe(2);
    expect(stdout).toMatch(/Failed: .*\sin\s+iteration\s+\d/s);
    const record = recordOf(out);
    expect(record.status).toBe("failed");
    expect(record.failure).toMatch(words);
    expect(record.results).toBeUndefined();
    expect(record.ledger.find(({ assumption }) => assumption === "stopping-rule")?.value).toMatch(/^failed after 2 of/);
    expect(existsSync(join(out, "reconstructions.png"))).toBe(true);
    expect(existsSync(join(out, "report.html"))).toBe(true);
  },
);

describe("a run that was stopped goes on to the same pixels, bit for bit", () => {
  const reference = join(freshFolder(), "run");
  beforeAll(async () => {
    expect((await fedleak([...SMALL, "--out", reference])).status).toBe(0);
  });

  test("after kill -9 in the middle", async () => {
    const { out, signal } = await stopped(/^18\/60/m, "SIGKILL");
    expect(signal).toBe("SIGKILL");
    expect(recordOf(out).status).toBe("running");
    expect(existsSync(join(out, "report.html"))).toBe(false);
    expect(lastIteration(out)).toBeGreaterThanOrEqual(14);
    expect(lastIteration(out)).toBeLessThan(60);

    const resumed = await fedleak(["resume", out, "--json"]);
    expect(resumed.stderr).not.toMatch(/error/);
    expect(resumed.status).toBe(0);
    expect(reconstructionOf(out)).toBe(reconstructionOf(reference));
    const [record, whole] = [recordOf(out), recordOf(reference)];
    expect(record.results!.psnrDb).toEqual(whole.results!.psnrDb);
    expect(record.curve.map(({ iteration, loss, cosine }) => [iteration, loss, cosine])).toEqual(
      whole.curve.map(({ iteration, loss, cosine }) => [iteration, loss, cosine]),
    );
    expect(record.ledger.find(({ assumption }) => assumption === "resumed")?.value).toMatch(/^at iteration \d+$/);
  });

  test("after Ctrl-C, which leaves a checkpoint, a report and the way to go on", async () => {
    const { out, status, stderr } = await stopped(/^12\/60/m, "SIGINT");
    expect(status).toBe(130);
    expect(stderr).toContain(`fedleak resume ${out}`);
    expect(recordOf(out).status).toBe("interrupted");
    expect(recordOf(out).curve).toHaveLength(lastIteration(out));
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("interrupted");

    expect((await fedleak(["resume", out])).status).toBe(0);
    expect(reconstructionOf(out)).toBe(reconstructionOf(reference));
  });

  test("but a finished run is not run again", async () => {
    const { status, stderr } = await fedleak(["resume", reference]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/must have been stopped before its end; got a finished run/);
  });

  test("and another seed gives other pixels", async () => {
    const out = join(freshFolder(), "run");
    await fedleak([...SMALL, "--seed", "1", "--out", out]);
    expect(reconstructionOf(out)).not.toBe(reconstructionOf(reference));
  });
});

test("a loss that leaves the numbers stops the run: last good state kept, iteration told, exit 2", async () => {
  const out = join(freshFolder(), "run");
  const diverging = ["--optimiser", "sgd", "--signed", "false", "--clamp", "false", "--learning-rate", "1e6"];
  const { status, stdout } = await fedleak([
    ...["attack", "--model", "lenet-sigmoid", "--size", "8", "--batch", "1", "--attack", "inverting-gradients"],
    ...[...diverging, "--tv", "1e6", "--weight-decay", "1e6", "--iterations", "20", "--out", out],
  ]);
  expect(status).toBe(2);
  expect(stdout).toMatch(/Failed: .*must stay finite; got loss .* iteration \d/s);
  const record = recordOf(out);
  expect(record.status).toBe("failed");
  expect(record.failure).toContain(`in iteration ${lastIteration(out)}.`);
  const state = readSafetensors(readFileSync(join(out, "state.safetensors")), "state").tensors;
  expect(Object.values(state).every(({ data }) => Array.from(data, Number).every(Number.isFinite))).toBe(true);
});
