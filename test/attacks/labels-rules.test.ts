import { describe, expect, it, test } from "vitest";
import { inferLabels, LABEL_RULES, type LabelRule } from "../../src/attacks/index.ts";
import { chooseRule } from "../../src/attacks/labels/auto.ts";
import { leastSquares } from "../../src/attacks/labels/least-squares.ts";
import { leastCounts, wholeCounts } from "../../src/attacks/labels/whole-counts.ts";
import { scoreLabels } from "../../src/metrics/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { drawnLabels, type HeadOptions, headEvidence } from "./labels-head.ts";

/** The rule on a weight gradient alone: rows by class. */
function fromRows(rule: LabelRule, rows: readonly (readonly number[])[], batchSize: number): readonly number[] {
  const update = { w: float32([rows.length, rows[0]!.length], rows.flat()) };
  const global = { params: {}, buffers: {} };
  return inferLabels(rule, { head: { weight: "w" }, update, global, batchSize, classes: rows.length }).labels;
}

describe("gradients made by hand", () => {
  const rows = [
    [0.4, 0.1], // sum 0.5
    [-0.3, 0.9], // 0.6, but the lowest entry of all but one
    [-0.2, -0.1], // −0.3
    [-0.4, 0.3], // −0.1
  ];

  it("idlg takes the lowest row sums, and begins again at the lowest beyond N", () => {
    expect(fromRows("idlg", rows, 1)).toEqual([2]);
    expect(fromRows("idlg", rows, 3)).toEqual([0, 2, 3]);
    expect(fromRows("idlg", rows, 6)).toEqual([0, 1, 2, 2, 3, 3]);
  });

  it("yin takes the rows of the lowest single entries", () => {
    expect(fromRows("yin", rows, 1)).toEqual([3]);
    expect(fromRows("yin", rows, 2)).toEqual([1, 3]);
    expect(fromRows("yin", rows, 5)).toEqual([0, 1, 2, 3, 3]);
  });

  it("llg gives negative rows a label each, then takes the impact off what is lowest", () => {
    // m = (1 + 1/4)·(−0.9 − 0.1)/4 = −0.3125: −0.9 → −0.5875, −0.1 → 0.2125; then −0.5875 → −0.275 → 0.0375
    const strengths = [[-0.9], [0.6], [-0.1], [0.4]];
    expect(fromRows("llg", strengths, 4)).toEqual([0, 0, 0, 2]);
    expect(fromRows("llg", strengths, 1)).toEqual([0]); // of more negative rows than images, the lowest
  });
});

describe("all images predicted alike", () => {
  const alike = (labels: readonly number[], seed: number) => headEvidence(labels, { spread: 1e-3, seed });

  test.each(["ilrg", "counts", "auto"] as const)(
    "%s finds every count, duplicates and absent classes included",
    (rule) => {
      for (const [seed, size] of [2, 5, 6, 13, 24].entries()) {
        const labels = drawnLabels(size, 6, seed);
        expect(inferLabels(rule, alike(labels, seed)).labels).toEqual(labels);
      }
      expect(inferLabels(rule, alike([3, 3, 3, 3], 1)).labels).toEqual([3, 3, 3, 3]);
    },
  );

  it("auto chooses counts, which is then exact", () => {
    const { rule, about } = inferLabels("auto", alike([1, 1, 4], 1));
    expect(rule).toBe("counts");
    expect(about).toContain("rule counts, chosen by auto");
  });
});

describe("images predicted differently", () => {
  const accuracy = (rule: LabelRule, size: number, options: HeadOptions = {}) => {
    const scores = Array.from({ length: 6 }, (_, seed) => {
      const labels = drawnLabels(size, 6, 100 + seed);
      return scoreLabels(labels, inferLabels(rule, headEvidence(labels, { ...options, seed })).labels).countAccuracy;
    });
    return scores.reduce((a, b) => a + b) / scores.length;
  };

  it("head-inversion finds every label for B < N, where no other rule does", { timeout: 20_000 }, () => {
    expect(accuracy("head-inversion", 4, { spread: 4 })).toBe(1);
    for (const rule of ["paper", "idlg", "yin", "llg", "ilrg", "counts"] as const) {
      expect(accuracy(rule, 4, { spread: 4 }), rule).toBeLessThan(1);
    }
    expect(inferLabels("auto", headEvidence([0, 0, 2, 5], { spread: 4 })).rule).toBe("head-inversion");
  });

  it("which is not tried with more classes than it can do in seconds", () => {
    const chosen = (classes: number) => chooseRule(headEvidence([0, 0, 2, 5], { classes, spread: 4 }));
    expect([chosen(12), chosen(13)]).toEqual(["head-inversion", "counts"]);
    const labels = Array.from({ length: 13 }, (_, i) => i);
    const guess = (rule: LabelRule) => inferLabels(rule, headEvidence(labels, { classes: 13, spread: 4 })).labels;
    expect(guess("head-inversion")).toEqual(guess("counts"));
  });

  // Uniform guesses of 4 labels out of 6 score 0.39 in the mean; over 6 batches their standard error is 0.09. Noise as
  // strong as the gradient leaves some signal, so the control has ten times that.
  test.each(LABEL_RULES)("%s fails under noise", { timeout: 20_000 }, (rule) => {
    expect(accuracy(rule, 4, { noise: 10 })).toBeLessThan(0.75);
    expect(accuracy(rule, 4)).toBeGreaterThan(accuracy(rule, 4, { noise: 10 }));
  });
});

describe("laws", () => {
  test.each(LABEL_RULES)("%s gives B labels, ascending, the same each time", { timeout: 20_000 }, (rule) => {
    for (const size of [1, 3, 7]) {
      const evidence = headEvidence(drawnLabels(size, 6, size), { noise: size === 7 ? 1 : 0 });
      const { labels } = inferLabels(rule, evidence);
      expect(labels).toHaveLength(size);
      expect(labels).toEqual([...labels].sort((a, b) => a - b));
      expect(inferLabels(rule, evidence).labels).toEqual(labels);
    }
  });

  test.each(["paper", "idlg", "yin", "llg", "ilrg", "counts", "head-inversion", "auto"] as const)(
    "%s follows a renaming of the classes",
    (rule) => {
      const evidence = headEvidence([1, 1, 4], { classes: 6 });
      const renamed = [3, 5, 0, 2, 1, 4]; // class j becomes renamed[j]
      const moved = (t: { shape: readonly number[]; data: Float32Array }, along: 0 | 1 = 0) => {
        const [rows, width] = along === 0 ? [6, t.data.length / 6] : [t.data.length / 6, 6];
        const out = new Float32Array(t.data.length);
        t.data.forEach((v, at) => {
          const [r, c] = [Math.floor(at / width), at % width];
          out[along === 0 ? renamed[r]! * width + c : r * width + renamed[c]!] = v;
        });
        expect(rows * width).toBe(t.data.length);
        return float32(t.shape, out);
      };
      const { w, b } = evidence.update;
      const { params } = evidence.global;
      const other = {
        ...evidence,
        update: { w: moved(w!), b: moved(b!) },
        global: { params: { w: moved(params.w!), b: moved(params.b!) }, buffers: {} },
        probabilities: moved(evidence.probabilities, 1),
      };
      const expected = inferLabels(rule, evidence).labels.map((label) => renamed[label]!);
      expect(inferLabels(rule, other).labels).toEqual(expected.sort((x, y) => x - y));
    },
  );
});

describe("errors", () => {
  const { probabilities: _, ...bare } = headEvidence([0, 1]);
  const unbiased = { ...bare, head: { weight: "w" } };

  it("rules that need a bias say so, auto does without", () => {
    for (const rule of ["ilrg", "counts", "head-inversion"] as const) {
      expect(() => inferLabels(rule, unbiased)).toThrow(
        /needs the gradient of the last layer's bias.*Choose paper, idlg/,
      );
    }
    expect(inferLabels("auto", unbiased)).toMatchObject({ rule: "llg", labels: [0, 1] });
  });

  it("rules that need dummy images say so", () => {
    expect(() => inferLabels("counts", bare)).toThrow("probabilities on at least 2 dummy images; got none");
  });

  it("a gradient that is not finite is refused", () => {
    const update = { ...bare.update, b: float32([6], [0, Number.NaN, 0, 0, 0, 0]) };
    expect(() => inferLabels("paper", { ...bare, update })).toThrow("NaN or infinity in b");
  });
});

describe("whole counts", () => {
  it("are the nearest with the sum asked, and not under their floors", () => {
    expect(wholeCounts([1.3, 0.4, 0.3], 2, [0, 0, 0])).toEqual([1, 1, 0]);
    expect(wholeCounts([2.6, 2.6, -0.2], 5, [0, 0, 0])).toEqual([2, 3, 0]);
    expect(wholeCounts([3.2, 0.1, 0.2], 3, [0, 0, 1])).toEqual([2, 0, 1]);
    expect(wholeCounts([3.2, 0.1], 3, [2, 2])).toEqual([3, 0]); // floors that cannot hold are passed over
  });

  it("have as floor what the bias gradient proves", () => {
    expect(leastCounts([-0.3, -1.2, 0.4, 0], 5, 0)).toEqual([1, 2, 0, 0]);
    expect(leastCounts([-0.3, -1.2, 0.4, 0], 5, 0.05)).toEqual([0, 1, 0, 0]); // unless noise may have made it
  });
});

test("least squares: exact systems, means, and dependent columns", () => {
  const solved = (rows: readonly (readonly number[])[], b: readonly number[]) => leastSquares(rows, b);
  expect(solved([[0, 2], [1, 1]], [4, 5])).toEqual([expect.closeTo(3, 12), expect.closeTo(2, 12)]); // biome-ignore format: a matrix
  expect(solved([[1], [1], [1]], [1, 2, 6])[0]).toBeCloseTo(3, 12);
  const [x, y] = solved([[1, 2], [2, 4], [3, 6]], [1, 2, 3]); // biome-ignore format: a matrix
  expect(x! + 2 * y!).toBeCloseTo(1, 12);
});
