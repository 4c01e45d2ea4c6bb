import { describe, expect, it } from "vitest";
import { completeSettings, findAttack } from "../../src/attacks/index.ts";
import { adapt } from "../../src/attacks/objective/adaptive/adapt.ts";
import { adaptedDistance } from "../../src/attacks/objective/adaptive/adapted-distance.ts";
import { adaptationText } from "../../src/attacks/objective/adaptive/index.ts";
import { gradientDistance } from "../../src/attacks/objective/distance.ts";
import { chain, DEFENCES, link, type Update } from "../../src/defences/index.ts";
import { clientGradientStep, type KnownDefence } from "../../src/fl/index.ts";
import { constantOf, type Node, ones } from "../../src/graph/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32, scalarOf } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";
import { applied, flat, norm, normalUpdate, tinyStep } from "../defences/tiny.ts";

const TRUTH = normalUpdate(1);
const OTHER = normalUpdate(50);
const HEAD = "a.weight";
const IMAGE = constantOf([1, 1, 2, 2], [0.5, 0.5, 0.5, 0.5]); // flat: its total variation is 0
const SETTINGS = completeSettings(findAttack("fedleak-release"), { maskRatio: 1, maskScope: "none" });

const SCALE = (SETTINGS.l1Weight + SETTINGS.cosineWeight) * (SETTINGS.distanceScope === "per-tensor" ? 2 : 1); // of none

const nodesOf = (update: Update) => Object.values(update).map(({ shape, data }) => constantOf(shape, data));
const numberOf = (node: Node) => scalarOf(evaluate({ node }).node!);
const entriesOf = (nodes: readonly Node[]) => nodes.flatMap((node) => [...evaluate({ node }).node!.data]);

/** Defences as a server knows them. */
function knownAs(...defences: readonly (readonly [name: string, settings?: Record<string, unknown>])[]) {
  return defences.map(([name, settings]): KnownDefence => {
    const { defence, settings: complete } = link(name, settings);
    return { name, settings: defence.known?.(complete) ?? complete };
  });
}

function matchOf(candidate: Update, observed: Update, defences: readonly KnownDefence[], weights = TRUTH) {
  return adapt(nodesOf(candidate), nodesOf(observed), defences, {
    names: Object.keys(observed),
    weights: nodesOf(weights),
    head: HEAD,
    batchSize: 1,
    imageGradients: () => [nodesOf(candidate)],
  });
}

const adaptive = (candidate: Update, observed: Update, defences: readonly KnownDefence[]) =>
  numberOf(adaptedDistance(matchOf(candidate, observed, defences).match, IMAGE, SETTINGS));
const naive = (candidate: Update, observed: Update) =>
  numberOf(gradientDistance(nodesOf(candidate), nodesOf(observed), undefined, SETTINGS));

/** Zeroes columns of the head by hand: every third. */
const columnsZeroed: Update = {
  ...TRUTH,
  [HEAD]: float32(
    TRUTH[HEAD]!.shape,
    TRUTH[HEAD]!.data.map((value, i) => ((i % 20) % 3 === 0 ? 0 : value)),
  ),
};

describe("at the true gradient nothing is left to gain", () => {
  it.for<readonly [string, Record<string, unknown>]>([
    ["sparsify", { percent: 80 }],
    ["gradient-share", { percent: 20 }],
    ["gradient-share", { percent: 20, side: "bottom" }],
    ["selective-encryption", { percent: 60 }],
    ["quantise", { bits: 2 }],
    ["sign", { scale: "mean" }],
    ["sign", { scale: "one" }],
    ["guardian-objective", { utility: 0.5, exponent: 0.6 }],
    ["guardian-objective", { exponent: 1 }],
    ["soteria", {}],
  ])("%s %o", async ([name, settings]) => {
    const observed =
      name === "soteria" ? columnsZeroed : await applied(name, TRUTH, settings as Record<string, number | string>);
    const defences = knownAs([name, settings]);
    expect(adaptive(TRUTH, observed, defences)).toBeLessThan(2e-4); // float32 sent through powers, at most
    expect(naive(TRUTH, observed)).toBeGreaterThan(0.03);
    expect(adaptive(OTHER, observed, defences)).toBeGreaterThan(0.1);
  });

  it("but smooth images, the more so the more is hidden", async () => {
    const rough = constantOf([1, 1, 2, 2], [0, 1, 1, 0]);
    const roughness = async (name: string, settings: Record<string, number>) => {
      const { match } = matchOf(TRUTH, await applied(name, TRUTH, settings), knownAs([name, settings]));
      const at = (image: Node) => numberOf(adaptedDistance(match, image, SETTINGS));
      return at(rough) - at(IMAGE);
    };
    const half = await roughness("sparsify", { percent: 50 });
    expect(half).toBeGreaterThan(1e-3);
    expect((await roughness("sparsify", { percent: 100 })) / half).toBeCloseTo(2, 4);
    expect(await roughness("quantise", { bits: 4 })).toBe(0); // every entry tells something
  });

  it("but columns of a table, which are no neighbours: in any order they cost the same", async () => {
    const orders = [
      [0, 1, 1, 0],
      [0, 0, 1, 1],
    ].map((values) => constantOf([1, 1, 1, 4], values));
    for (const [name, settings] of [
      ["sparsify", { percent: 50 }],
      ["gaussian-dp", { clip: 5, sigma: 0.01 }],
    ] as const) {
      const { match } = matchOf(TRUTH, await applied(name, TRUTH, settings), knownAs([name, settings]));
      const apart = (parameterisation: "pixels" | "columns") => {
        const [one, other] = orders.map((x) => numberOf(adaptedDistance(match, x, { ...SETTINGS, parameterisation })));
        return Math.abs(one! - other!);
      };
      expect([name, apart("columns")]).toEqual([name, 0]);
      expect([name, apart("pixels") > 1e-5]).toEqual([name, true]);
    }
  });

  it("two and three defences together", async () => {
    for (const names of [
      ["soteria", "sparsify", "quantise"],
      ["sparsify", "sign"],
      ["quantise", "gradient-share"],
    ] as const) {
      let observed = names[0] === "soteria" ? columnsZeroed : TRUTH;
      for (const name of names) if (name !== "soteria") observed = await applied(name, observed);
      const defences = knownAs(...names.map((name) => [name] as const));
      expect([names, adaptive(TRUTH, observed, defences) < 1e-5]).toEqual([names, true]);
      expect([names, naive(TRUTH, observed) > 0.03]).toEqual([names, true]);
      expect([names, adaptive(OTHER, observed, defences) > 0.1]).toEqual([names, true]);
    }
  });
});

describe("what is left open stays open where zero-sum noise comes later", () => {
  const noise = ["zero-sum-noise", { strength: 0.3 }] as const;
  const noised = (update: Update) => {
    const { defence, settings } = link(...noise);
    if (defence.stage !== "clients") throw new Error("it acts between clients");
    return defence.apply([update], { settings, key: key(3), step: tinyStep() })[0]!;
  };

  it.for<readonly [string, Record<string, number | string>, number]>([
    ["sparsify", { percent: 80 }, 0.12], // the noise itself: 0.3²/(1 + 0.3²), and its own chance
    ["gradient-share", { percent: 20 }, 0.12],
    ["quantise", { bits: 2 }, 0.12],
    ["sign", { scale: "mean" }, 5e-3], // lengths by the largest magnitude, twice the mean here, would leave 0.02
  ])("%s %o", async ([name, settings, most]) => {
    const observed = noised(await applied(name, TRUTH, settings));
    const defences = knownAs([name, settings], noise);
    const [truth, other] = [adaptive(TRUTH, observed, defences), adaptive(OTHER, observed, defences)];
    expect(truth / SCALE).toBeLessThan(most);
    expect(other).toBeGreaterThan(4 * truth);
  });
});

describe("known noise", () => {
  /** The mean over the compared entries of (g − ĝ)²/v: 1 where v is the variance of what was added. */
  function unitsOfNoise(candidate: Update, observed: Update, defences: readonly KnownDefence[], weights = TRUTH) {
    const { candidates, targets, variances, masks } = matchOf(candidate, observed, defences, weights).match;
    const [g, t, v] = [entriesOf(candidates), entriesOf(targets), entriesOf(variances!)];
    const m = entriesOf(masks ?? targets.map(({ shape }) => ones(shape)));
    const squares = g.reduce((sum, value, i) => sum + (m[i]! * (value - t[i]!) ** 2) / v[i]!, 0);
    return squares / m.reduce((a, b) => a + b, 0);
  }

  it.for<readonly [string, Record<string, number>]>([
    ["gaussian-dp", { clip: 5, sigma: 0.01 }],
    ["gaussian-dp", { clip: 5, epsilon: 0.5 }],
    ["zero-sum-noise", { strength: 0.3 }],
  ])("%s %o: its variance is known, after the clipping", async ([name, settings]) => {
    const { defence, settings: complete } = link(name, settings);
    const observed =
      defence.stage === "clients"
        ? defence.apply([TRUTH], { settings: complete, key: key(3), step: tinyStep() })[0]!
        : await applied(name, TRUTH, settings);
    const at = (candidate: Update) => unitsOfNoise(candidate, observed, knownAs([name, settings]));
    expect(Math.abs(at(TRUTH) - 1)).toBeLessThan(0.2); // 640 draws: a standard error of 0.056
    if (settings.epsilon === undefined) expect(at(OTHER)).toBeGreaterThan(2 * at(TRUTH)); // at ε 0.5 noise is all there is
  });

  it("dp-sgd: the mean of the clipped gradients of the images, not the clipped mean", async () => {
    const step = tinyStep();
    const gradients = await Promise.all(
      step.labels.map(async (label, b) => {
        const images = float32([1, 1, 4, 4], step.images.data.slice(16 * b, 16 * (b + 1)));
        return (await clientGradientStep({ ...step, images, labels: [label] })).update;
      }),
    );
    const whole = (await clientGradientStep(step)).update;
    const settings = { clip: 0.05, sigma: 1e-6 }; // clips every image, as the test of dp-sgd shows
    const sent = await chain(link("dp-sgd", settings))(step, key(1));
    const { match } = adapt(nodesOf(whole), nodesOf(sent.update), sent.defences!, {
      names: Object.keys(whole),
      weights: nodesOf(whole),
      head: step.model.head.weight,
      batchSize: 4,
      imageGradients: () => gradients.map(nodesOf),
    });
    const difference = entriesOf(match.candidates).map((value, i) => value - flat(sent.update)[i]!);
    expect(norm(difference) / norm(flat(sent.update))).toBeLessThan(1e-4); // float32 and the little noise
    const clippedMean = matchOf(whole, sent.update, knownAs(["gaussian-dp", settings])).match;
    const wrong = entriesOf(clippedMean.candidates).map((value, i) => value - flat(sent.update)[i]!);
    expect(norm(wrong) / norm(flat(sent.update))).toBeGreaterThan(0.01);
  });

  it("outpost: the noised columns are found, their variance is known, the others are taken as they are", async () => {
    const weights = normalUpdate(7); // variance about 1: the noise has deviation 0.8
    const step = tinyStep();
    const scene = { ...step, weights: { ...step.weights, params: weights } };
    const observed = await applied("outpost", TRUTH, {}, { step: scene });
    const units = unitsOfNoise(TRUTH, observed, knownAs(["outpost"]), weights);
    expect(units).toBeGreaterThan(0.7); // 220 to 280 noised entries: a standard error of 0.09
    expect(units).toBeLessThan(1.3);
    expect(unitsOfNoise(OTHER, observed, knownAs(["outpost"]), weights)).toBeGreaterThan(1.5 * units);
    const quiet = await applied("outpost", TRUTH, { iteration: 1, beta: 1e9 }, { step: scene }); // it does not act
    expect(unitsOfNoise(TRUTH, quiet, knownAs(["outpost"]), weights)).toBeLessThan(1e-6);
  });

  it("zeroes its own gradient where noise came after, so that the truth is matched up to the noise", async () => {
    const settings = { clip: 1e3, sigma: 1e-5 };
    for (const name of ["sparsify", "gradient-share", "selective-encryption"]) {
      const observed = await applied("gaussian-dp", await applied(name, TRUTH), settings);
      const units = unitsOfNoise(TRUTH, observed, knownAs([name], ["gaussian-dp", settings]));
      expect([name, Math.abs(units - 1) < 0.2]).toEqual([name, true]);
      expect(unitsOfNoise(TRUTH, observed, knownAs(["gaussian-dp", settings]))).toBeGreaterThan(10);
    }
  });
});

describe("what an adaptive attacker says of each defence", () => {
  const { model } = tinyStep();
  it("is there for every defence, none of which is without a counterpart", () => {
    for (const name of Object.keys(DEFENCES)) {
      expect(adaptationText(model, knownAs([name]), 1, SETTINGS)).toMatch(new RegExp(`^${name}: (?!no adaptive)[a-z]`));
    }
  });

  it("tells where a counterpart can do nothing, and where there is none", () => {
    const summed = adaptationText(model, knownAs(["soteria"], ["secure-aggregation"]), 2, SETTINGS);
    expect(summed).toContain("soteria: no adaptive counterpart here: naive");
    expect(adaptationText(model, [{ name: "unheard-of", settings: {} }], 1, SETTINGS)).toBe(
      "unheard-of: no adaptive counterpart here: naive",
    );
    expect(adaptationText(model, knownAs(["dp-sgd"]), 64, SETTINGS)).toContain("by one factor only");
    expect(adaptationText(model, [], 1, SETTINGS)).toBe("no defence to re-apply");
    const ofColumns = adaptationText(model, knownAs(["sparsify"]), 1, { parameterisation: "columns" });
    expect(ofColumns).toMatch(/; columns are no neighbours: no smoothness is expected/);
  });
});
