import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type AuditOutcome, type AuditRequest, completeAuditSpec, runAudit } from "../../src/audit/index.ts";
import { input, totalVariation } from "../../src/graph/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32, writeSafetensors } from "../../src/tensor/index.ts";
import { folderOf, make, write } from "./captured-fixture.ts";

/** Two channels of 12 samples each, scaled to [0,1]. */
const SIGNAL = { inputShape: [2, 1, 12], classes: 5, hidden: 64 };

/** A generator that compiles fast. */
const SMALL = { evaluations: 4, generatorChannels: 8, generatorLatent: 8 };

async function audited(batchSize: number, request: Partial<AuditRequest>) {
  const made = await make({ batchSize, options: SIGNAL });
  const truth = folderOf({ "truth.safetensors": writeSafetensors({ images: made.images }) });
  const out = join(mkdtempSync(join(tmpdir(), "fedleak-signal-")), "out");
  const spec = completeAuditSpec({ update: write(made), truth, threads: 1, seeds: 2, ...request });
  const outcome = await runAudit(spec, { command: "fedleak audit", render: () => "", out });
  return (outcome as Extract<AuditOutcome, { kind: "done" }>).record;
}

test("one signal is given away exactly by the first layer", { timeout: 60_000 }, async () => {
  const record = await audited(1, {});
  expect(record.confidence!.outcome).toBe("exact");
  expect(record.scores!.psnrDb.oneToOne).toBeGreaterThan(90);
});

test("several are searched for, by total variation along the samples too", { timeout: 60_000 }, async () => {
  const record = await audited(2, {
    attack: { name: "inverting-gradients", settings: { evaluations: 200 } },
  });
  expect(record.subject.shape).toEqual([2, 2, 1, 12]);
  expect(record.scores!.leakage.oneToOne.share).toBeGreaterThan(0.3);
});

test("the best search for images takes signals", { timeout: 60_000 }, async () => {
  const record = await audited(2, { attack: { settings: SMALL }, seeds: 1 });
  expect(record.status).toBe("finished");
});

test("the total variation of a signal is that of its samples", () => {
  const tv = (shape: readonly number[], values: readonly number[]) =>
    evaluate({ tv: totalVariation(input("x", shape)) }, { x: float32(shape, values) }).tv!.data[0];
  expect(tv([1, 1, 1, 4], [0, 1, 1, 0.5])).toBeCloseTo(1.5 / 3, 7);
  expect(tv([1, 1, 4, 1], [0, 1, 1, 0.5])).toBeCloseTo(1.5 / 3, 7);
  expect(tv([1, 1, 2, 2], [0, 1, 1, 0.5])).toBeCloseTo(1.5 / 2 + 1.5 / 2, 7);
  expect(() => totalVariation(input("x", [1, 1, 1, 1]))).toThrow(/2 pixels or more/);
});
