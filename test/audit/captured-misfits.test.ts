import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type AuditOutcome, type AuditRequest, completeAuditSpec, runAudit } from "../../src/audit/index.ts";
import { clientGradientStep } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { auditVerdict, renderAudit } from "../../src/report/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";
import { make, THREADS, write } from "./captured-fixture.ts";

const AGE = { name: "age", kind: "numeric", min: 18, max: 98 } as const;
const JOB = { name: "job", kind: "categorical", categories: ["craft", "office", "sales"] } as const;
const CAR = { name: "car", kind: "categorical", categories: ["no", "yes"] } as const;

/** An audit of one row, given as the numbers that the network was fed with. */
async function audited(fed: readonly number[], columns: readonly object[]) {
  const options = { inputShape: [1, 1, 6], classes: 3, hidden: 20 };
  const network = buildModel("mlp3", options);
  const weights = initialise(network, key(7));
  const images = float32([1, 1, 1, 6], fed);
  const { update } = await clientGradientStep({
    model: network,
    weights,
    images,
    labels: [1],
    mode: "eval",
    ...THREADS,
  });
  const manifest = {
    ...({ format: "fedleak-update", version: 1, sent: "gradient", batchSize: 1, batchNorm: "eval" } as const),
    ...{ model: { name: "mlp3", options }, columns },
  };
  return recordOf(write({ before: { ...weights.params }, update, manifest: manifest as never }));
}

async function recordOf(update: string, request: Partial<AuditRequest> = {}) {
  const spec = completeAuditSpec({ update, threads: 1, seeds: 1, ...request });
  const out = join(mkdtempSync(join(tmpdir(), "fedleak-audit-")), "out");
  const outcome = await runAudit(spec, { command: "fedleak audit", render: renderAudit, out });
  return (outcome as Extract<AuditOutcome, { kind: "done" }>).record;
}

describe("a proven leak that the manifest does not describe is told as one", { timeout: 60_000 }, () => {
  test("a number outside its column's range, with the number itself", async () => {
    const record = await audited([(120 - 40) / 12.5, 0, 0, 1, 0, 1], [{ ...AGE, mean: 40, std: 12.5 }, JOB, CAR]);
    expect(record.confidence!.outcome).toBe("exact");
    expect(record.confidence!.residual).toBeLessThan(1e-5); // float32 gradients, of what was solved for
    expect(record.table!.rows).toEqual([["120", "sales", "yes"]]);
    const { headline, sentences } = auditVerdict(record);
    expect(headline).toMatch(/gives its row away exactly/);
    expect(sentences.join(" ")).toMatch(
      /columns do not fit: column "age": 120 lies outside the stated 18 to 98 \(row 0\)\./,
    );
  });

  test("categories that were scaled", async () => {
    const record = await audited([(42 - 18) / 80, -0.5, -0.5, 2, -1, 1], [AGE, JOB, CAR]);
    expect(record.confidence!.outcome).toBe("exact");
    expect(record.table!.rows).toEqual([["42", "sales", "yes"]]);
    const told = auditVerdict(record).sentences.join(" ");
    expect(told).toMatch(/column "job": -0\.5, -0\.5, 2 is no 1 among 0s \(row 0\); column "car": -1, 1 is no 1/);
    expect(told).not.toMatch(/column "age"/);
  });

  test("rows that were scaled as nothing says", async () => {
    const record = await audited([1.7, -0.7, -0.7, -0.7, -0.7, -0.7], [AGE, JOB, CAR]);
    expect(record.confidence!.outcome).toBe("exact");
    expect(record.rows[0]!.misfits).toHaveLength(3);
  });

  test("images whose normalisation is not stated", async () => {
    const made = await make({ batchSize: 1 });
    const shifted = write(made, { normalisation: { mean: [2], std: [1] } });
    const record = await recordOf(shifted);
    expect(record.confidence!.outcome).toBe("exact");
    expect(auditVerdict(record).sentences.join(" ")).toMatch(/normalisation does not fit: pixels: \S+ to (2\.9|3)/);
  });

  test("and rows that fit are told without a word of it", async () => {
    const record = await audited([(42 - 18) / 80, 0, 0, 1, 0, 1], [AGE, JOB, CAR]);
    expect(record.rows[0]!.misfits).toBeUndefined();
    expect(auditVerdict(record).sentences.join(" ")).not.toMatch(/fit:/);
  });
});
