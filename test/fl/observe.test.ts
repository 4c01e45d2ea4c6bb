import { describe, expect, it } from "vitest";
import {
  CAPABILITIES,
  type Capability,
  clientGradientStep,
  DEFAULT_GRANTS,
  observationLedger,
  observe,
} from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";

const MODEL = buildModel("resnet10", { inputShape: [1, 8, 8], classes: 10, width: 2 });
const IMAGES = float32([3, 1, 8, 8], uniform(key(7), 3 * 64));
const LABELS = [9, 2, 5];
const SENT = await clientGradientStep({
  model: MODEL,
  weights: initialise(MODEL, key(1)),
  images: IMAGES,
  labels: LABELS,
  mode: "train",
});
const ALL = Object.keys(CAPABILITIES) as Capability[];

describe("observe", () => {
  it("hands over neither images nor the order of the labels, whatever is granted", () => {
    const found = sequences(observe(SENT, ALL));
    expect(found.length).toBeGreaterThan(20); // the walk reaches the parameters
    for (const values of found) {
      for (let row = 0; row < 3; row++) {
        expect(contains(values, Array.from(IMAGES.data.slice(row * 64, (row + 1) * 64)))).toBe(false);
      }
      expect(contains(values, LABELS)).toBe(false);
    }
  });

  it("hands over labels only when granted, and sorted", () => {
    const sorted = [2, 5, 9];
    expect(sequences(observe(SENT, ["batch-size"])).some((values) => contains(values, sorted))).toBe(false);
    expect(observe(SENT, ["labels"]).labels).toEqual(sorted);
  });

  it("hands over the batch size and BatchNorm's statistics only when granted", () => {
    expect(observe(SENT, [])).not.toHaveProperty("batchSize");
    expect(observe(SENT, DEFAULT_GRANTS).batchSize).toBe(3);
    expect(observe(SENT, DEFAULT_GRANTS)).not.toHaveProperty("statistics");
    expect(observe(SENT, DEFAULT_GRANTS)).not.toHaveProperty("buffers");
    expect(observe(SENT, ["bn-statistics"]).statistics).toBe(SENT.statistics);
    expect(observe(SENT, ["bn-statistics"]).buffers).toBe(SENT.buffers);
  });

  it("tells how clients defend themselves only when granted, with all settings", () => {
    const defences = [{ name: "gaussian-dp", settings: { clip: 1, sigma: 2 } }];
    expect(observe({ ...SENT, defences }, DEFAULT_GRANTS)).not.toHaveProperty("defences");
    expect(observe({ ...SENT, defences }, ["defence"]).defences).toEqual(defences);
    expect(observe(SENT, ["defence"]).defences).toEqual([]); // granted, and there are none
  });

  it("never hands over the client's loss", () => {
    const numbersIn = sequences(observe(SENT, ALL)).flat();
    expect(numbersIn).not.toContain(SENT.loss);
    expect(JSON.stringify(Object.keys(observe(SENT, ALL)))).not.toContain("loss");
  });

  it("says in words who sends buffers", () => {
    expect(observationLedger(observe(SENT, DEFAULT_GRANTS)).buffers).toContain("kept by the client");
    expect(observationLedger(observe(SENT, ALL)).buffers).toContain("sent by the client");
    expect(observationLedger(observe({ ...SENT, mode: "eval" }, ALL)).buffers).toContain("unchanged");
  });

  it("refuses an unknown capability with a suggestion", () => {
    expect(() => observe(SENT, ["label" as Capability])).toThrow('Did you mean "labels"?');
  });
});

/** Every array of numbers and every lone number reachable from a value. */
function sequences(value: unknown): number[][] {
  if (typeof value === "number") return [[value]];
  if (ArrayBuffer.isView(value)) return [Array.from(value as unknown as Float32Array)];
  if (Array.isArray(value) && value.every((v) => typeof v === "number")) return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(sequences) : [];
}

/** Whether `part` stands in `values` as a run of neighbours. */
function contains(values: readonly number[], part: readonly number[]): boolean {
  return values.some((_, start) => part.every((v, i) => values[start + i] === v));
}
