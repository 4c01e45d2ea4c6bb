import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { permutedUpdate } from "../../src/audit/captured/audit/control.ts";
import { checkFolder, completeAuditSpec, runAudit } from "../../src/audit/index.ts";
import { isProven, leastCosine } from "../../src/audit/proof.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, normal, split } from "../../src/util/index.ts";
import { type Made, make, THREADS, write } from "./captured-fixture.ts";

let made: Made;
beforeAll(async () => {
  made = await make({ name: "lenet-sigmoid", options: { inputShape: [1, 20, 20], classes: 10 }, batchSize: 1 });
});

/** The captured update with the control's in place of the client's. */
const ofNobody = (): Made => ({
  ...made,
  update: { ...made.update, ...permutedUpdate(made.update, made.model.head, key(3)) },
});

/** Weights that are off by this share. */
function weightsOff(share: number): Made {
  const before = Object.fromEntries(
    Object.entries(made.before).map(([name, t]) => {
      const moves = normal(split(key(5), name), t.data.length);
      return [name, { ...t, data: t.data.map((v, i) => v * (1 + share * moves[i]!)) }];
    }),
  );
  return { ...made, before };
}

const recursion = async (of: Made) =>
  (await checkFolder(write(of), THREADS)).closedForms.find(({ method }) => method === "r-gap")!;

describe("a closed form's proof", { timeout: 60_000 }, () => {
  it("holds for the update of an image, whose equations hold and whose every tensor is explained", async () => {
    const { outcome, proof } = await recursion(made);
    expect(outcome).toBe("solved");
    expect(proof!.relativeResidual).toBeLessThan(1e-3);
    expect(proof!.leastCosine).toBeGreaterThan(0.999);
  });

  it.each([
    ["the update of nobody", ofNobody],
    ["weights 10 % off", () => weightsOff(0.1)],
    ["weights 30 % off", () => weightsOff(0.3)],
  ] as const)("does not hold for %s, though the cosine over all parameters is high", async (_, of) => {
    const { outcome, proof, cosine } = await recursion(of());
    expect(outcome).toBe("applies");
    expect(cosine).toBeGreaterThan(0.9); // mostly the head's
    expect(proof!.relativeResidual).toBeGreaterThan(0.05);
  });

  it("does not hold for a closed form by name either: neither of nobody nor of one image of many that fit", async () => {
    const wide = await make({
      ...{ name: "convnet", options: { inputShape: [1, 12, 12], width: 4, activation: "relu" }, batchSize: 1 },
    });
    for (const [of, complete] of [
      [ofNobody(), true],
      [wide, false],
    ] as const) {
      const spec = completeAuditSpec({ update: write(of), attack: { name: "r-gap" }, threads: 1, force: true });
      const out = join(mkdtempSync(join(tmpdir(), "fedleak-proof-")), "out");
      const ended = await runAudit(spec, { command: "c", render: () => "", out });
      expect(ended).toMatchObject({ kind: "done", record: { rows: [{ proof: { complete } }] } });
      expect(ended.kind === "done" && ended.record.confidence!.outcome).not.toBe("exact");
    }
  });

  it("needs all of its parts", () => {
    const sound = { complete: true, relativeResidual: 1e-6, leastCosine: 0.9999 };
    expect(isProven(sound)).toBe(true);
    expect(isProven({ ...sound, complete: false })).toBe(false);
    expect(isProven({ ...sound, relativeResidual: 0.02 })).toBe(false);
    expect(isProven({ ...sound, relativeResidual: Number.NaN })).toBe(false);
    expect(isProven({ ...sound, leastCosine: 0.98 })).toBe(false);
  });

  it("looks at every tensor but those of rounding's size", () => {
    const of = (small: number, scale: number) => ({
      head: float32([2], [100, 0]),
      first: float32([2], [scale * (1 - small), scale * small]),
    });
    expect(leastCosine(of(1, 1), of(0, 1))).toBe(0); // 0.9999 over all
    expect(leastCosine(of(1, 1e-5), of(0, 1e-5))).toBe(1);
    expect(leastCosine({ head: float32([2], [0, 0]), first: float32([2], [1, 0]) }, of(0, 1))).toBe(0);
  });
});
