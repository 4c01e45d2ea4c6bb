import { describe, expect, it } from "vitest";
import { completeSettings, findAttack, type SettingValue } from "../../src/attacks/index.ts";
import type { Objective } from "../../src/attacks/objective/objective.ts";
import { transformOf } from "../../src/attacks/optimiser.ts";
import { pixels } from "../../src/attacks/parameterisation/pixels.ts";
import { buildStep, LABELS, LEARNING_RATE, labelTransform } from "../../src/attacks/search/step-graph.ts";
import { abs, add, constantOf, mul, type Node, scalar, square, sum } from "../../src/graph/index.ts";
import { zeroState } from "../../src/optim/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32, float64, scalarOf, type Tensors } from "../../src/tensor/index.ts";

const PLAIN = { optimiser: "sgd", weightDecay: 0, clamp: false, signed: false, learningRate: 0.1, gamma: 0 } as const;
const FIXED_LABEL = { fixed: float32([1, 2], [1, 0]) };

/** One step in float64 from `start` on a hand-made objective of x [n] (and of label probabilities [1,2]). */
function stepOn(
  loss: (x: Node, labels: Node) => Node,
  start: readonly number[],
  overrides: Readonly<Record<string, SettingValue>>,
  logits?: readonly number[],
) {
  const settings = completeSettings(findAttack("fedleak"), { ...PLAIN, ...overrides });
  const parameterisation = pixels([start.length], settings);
  const objective: Objective = (x, labels) => ({ loss: loss(x, labels), cosine: scalar(0.5) });
  const transform = transformOf(settings);
  const labels = logits ? { logits: float32([1, 2], logits) } : FIXED_LABEL;
  const { learningRate } = settings;
  const graph = buildStep({ parameterisation, objective, labels, transform, settings, learningRate });
  const feeds: Record<string, Tensors[string]> = {
    x: float64([start.length], start),
    [LEARNING_RATE]: float64([], [settings.learningRate]),
    ...zeroState(transform, parameterisation.variables),
    ...(logits && { [LABELS]: float64([1, 2], logits), ...zeroState(labelTransform, { [LABELS]: [1, 2] }) }),
  };
  for (const [name, value] of Object.entries({ ...transform.scalars(1), ...labelTransform.scalars(1) })) {
    feeds[name] = float64([], [value]);
  }
  const results = evaluate(graph.outputs, feeds);
  return {
    x: Array.from(results["next.x"]!.data),
    labels: results[`next.${LABELS}`] && Array.from(results[`next.${LABELS}`]!.data),
    loss: scalarOf(results.loss!),
    gradientNorm: scalarOf(results.gradientNorm!),
    evaluations: graph.evaluations,
  };
}

/** ½ Σ aᵢxᵢ²: D = a·x. */
const quadratic = (curvature: readonly number[]) => (x: Node) =>
  mul(sum(mul(constantOf([curvature.length], curvature), square(x))), 0.5);

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((v, i) => {
    expect(v).toBeCloseTo(expected[i]!, 12);
  });
}

describe("a step without look-ahead", () => {
  it("descends, and reports loss and ‖D‖ where it stepped from", () => {
    const { x, loss, gradientNorm, evaluations } = stepOn(quadratic([2, 8]), [3, -0.5], {});
    expectClose(x, [3 - 0.1 * 6, -0.5 + 0.1 * 4]);
    expect(loss).toBeCloseTo(10, 12);
    expect(gradientNorm).toBeCloseTo(Math.hypot(6, 4), 12);
    expect(evaluations).toBe(1);
  });

  it("takes the sign when asked, and clamps when asked", () => {
    expectClose(stepOn(quadratic([2, 8]), [3, -0.5], { signed: true }).x, [2.9, -0.4]);
    expectClose(stepOn(quadratic([2, 8]), [3, -0.5], { clamp: true }).x, [1, 0]);
  });
});

describe("look-ahead: descent", () => {
  it("blends with the gradient after a trial step: x − η·a·x·(1 − γηa) on a quadratic", () => {
    const [gamma, rate] = [0.3, 0.1];
    const { x, evaluations } = stepOn(quadratic([2, 8]), [3, -0.5], { gamma, lookahead: "descent" });
    expectClose(
      x,
      [
        [2, 3],
        [8, -0.5],
      ].map(([a, x0]) => x0! - rate * a! * x0! * (1 - gamma * rate * a!)),
    );
    expect(evaluations).toBe(2);
  });

  it("is Appendix D's example: on |x| a step of 1 from 0.5 blends 1 and −1 into 0.4 at γ = 0.3", () => {
    const { x } = stepOn((x) => sum(abs(x)), [0.5], { gamma: 0.3, lookahead: "descent", learningRate: 1 });
    expectClose(x, [0.5 - 0.4]);
  });

  it("signs each gradient before blending: 0.7 − 0.3 where they disagree, 1 where they agree", () => {
    const overrides = { gamma: 0.3, lookahead: "descent", signed: true, learningRate: 1 };
    expectClose(stepOn(quadratic([100, 0.01]), [0.5, 7], overrides).x, [0.5 - 0.4, 6]);
  });

  it("projects the trial point as it would the real one", () => {
    // trial 0.1 − 2 clamps to 0, where the slope of (x + 1)² is 2 and not −1.8
    const slope = (x: Node) => sum(square(add(x, 1)));
    const { x } = stepOn(slope, [0.1], { gamma: 1, learningRate: 0.91, clamp: true });
    expectClose(x, [0]);
    const { x: blended } = stepOn(slope, [1], { gamma: 1, learningRate: 0.3, clamp: true });
    // trial 1 − 0.3·4 < 0 clamps to 0: D = 2; then 1 − 0.3·2
    expectClose(blended, [0.4]);
  });

  it("leaves no trace of the trial in Adam's moments: the first step is still η·sign", () => {
    const { x } = stepOn(quadratic([1, 1]), [3, -2], { gamma: 0.5, lookahead: "descent", optimiser: "adam" });
    x.forEach((v, i) => {
      expect(v).toBeCloseTo([2.9, -1.9][i]!, 6); // Adam's ε
    });
  });
});

describe("look-ahead: uphill", () => {
  it("blends with the gradient at x + ε·D/‖D‖", () => {
    const [gamma, epsilon] = [0.25, 0.2];
    const { x, evaluations } = stepOn(quadratic([2, 8]), [3, -0.5], {
      gamma,
      lookahead: "uphill",
      lookaheadStep: epsilon,
    });
    const norm = Math.hypot(6, 4);
    const ahead = [2 * (3 + (epsilon * 6) / norm), 8 * (-0.5 - (epsilon * 4) / norm)];
    expectClose(x, [3 - 0.1 * (0.75 * 6 + 0.25 * ahead[0]!), -0.5 - 0.1 * (0.75 * -4 + 0.25 * ahead[1]!)]);
    expect(evaluations).toBe(2);
  });

  it("stays put at a stationary point instead of dividing by zero", () => {
    expectClose(stepOn(quadratic([2, 8]), [0, 0], { gamma: 0.5, lookahead: "uphill" }).x, [0, 0]);
  });
});

describe("look-ahead in general", () => {
  it.each(["descent", "uphill"])("%s differentiates nothing through the point ahead", (lookahead) => {
    // with γ = 1 only D(x̃) counts; through x̃ = x − η·4x³ a factor (1 − 12ηx²) would appear
    const quartic = (x: Node) => sum(square(square(x)));
    const { x } = stepOn(quartic, [0.5], { gamma: 1, lookahead, lookaheadStep: 0.05, learningRate: 0.1 });
    const point = lookahead === "descent" ? 0.5 - 0.1 * 4 * 0.5 ** 3 : 0.55;
    expectClose(x, [0.5 - 0.1 * 4 * point ** 3]);
  });

  it("γ = 0 costs one evaluation and equals the plain step", () => {
    const plain = stepOn(quadratic([2, 8]), [3, -0.5], {});
    for (const lookahead of ["descent", "uphill"]) {
      expect(stepOn(quadratic([2, 8]), [3, -0.5], { gamma: 0, lookahead })).toEqual(plain);
    }
  });
});

describe("joint labels", () => {
  // loss = ½x² + p₀, p the probabilities: its slope by the logits is p₀p₁·(1, −1)
  const withLabels = (x: Node, p: Node) => add(mul(sum(square(x)), 0.5), sum(mul(p, constantOf([1, 2], [1, 0]))));

  it("moves logits by Adam with their own step size, and images by theirs", () => {
    const { x, labels } = stepOn(withLabels, [2], { labelLearningRate: 0.03 }, [0, 0]);
    expectClose(x, [1.8]);
    labels!.forEach((v, i) => {
      expect(v).toBeCloseTo([-0.03, 0.03][i]!, 6); // Adam's first step is its step size, but for ε
    });
  });

  it("keeps labels where they are during the look-ahead and blends their gradients", () => {
    // loss = x·p₀: D_x = p₀, slope by the logits x·p₀p₁·(1, −1); ahead, x̃ = x − η·p₀ changes sign
    const product = (x: Node, p: Node) => mul(sum(x), sum(mul(p, constantOf([1, 2], [1, 0]))));
    const overrides = { gamma: 0.9, learningRate: 1, labelLearningRate: 0.03 };
    const { labels } = stepOn(product, [0.2], overrides, [0, 0]);
    // 0.1·0.2 + 0.9·(0.2 − 0.5) < 0: the first logit rises, against the gradient at x alone
    expect(labels![0]).toBeCloseTo(0.03, 6);
    expect(stepOn(product, [0.2], { ...overrides, gamma: 0 }, [0, 0]).labels![0]).toBeCloseTo(-0.03, 6);
    // from 0.6 both are positive; through x̃, which depends on the labels, −0.5·p₀p₁ would flow and turn the sign
    expect(stepOn(product, [0.6], overrides, [0, 0]).labels![0]).toBeCloseTo(-0.03, 6);
  });
});
