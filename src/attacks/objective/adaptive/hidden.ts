import { broadcastTo, mul, type Node, ones, sum } from "../../../graph/index.ts";
import { sizeOf } from "../../../tensor/index.ts";
import { largestMasks, leastMagnitude, nonZero, others, summed } from "./tensors.ts";
import type { Counterpart, Match, Scene } from "./types.ts";

/** Where the smallest of each tensor are 0: those may be anything up to the smallest magnitude that is left. */
export const sparsify: Counterpart = (before, { percent }, scene) => {
  if (scene.clients > 1) return undefined;
  const match = { ...before, untold: Math.max(before.untold, Number(percent) / 100) };
  const keep = (size: number) => size - Math.round((Number(percent) / 100) * size);
  if (!zerosStay(scene)) {
    const masks = match.candidates.flatMap((g) => largestMasks([g], keep(sizeOf(g.shape))));
    return { match: applied(match, masks), about: "zeroes the same share of its own gradient" };
  }
  return below(
    match,
    match.targets.map((t) => leastMagnitude([t])),
    scene,
  );
};

/** Where only the largest or the smallest of all entries are seen. */
export const gradientShare: Counterpart = (before, { percent, side }, scene) => {
  if (scene.clients > 1) return undefined;
  const match = { ...before, untold: Math.max(before.untold, 1 - Number(percent) / 100) };
  const all = match.targets.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const count = Math.round((Number(percent) / 100) * all);
  if (!zerosStay(scene)) {
    const masks =
      side === "top" ? largestMasks(match.candidates, count) : largestMasks(match.candidates, all - count).map(others);
    return { match: applied(match, masks), about: "hides the same share of its own gradient" };
  }
  if (side === "bottom") return { match: seen(match), about: SEEN };
  const least = leastMagnitude(match.targets);
  return below(
    match,
    match.targets.map(() => least),
    scene,
  );
};

/** Where the largest of all entries are hidden: only the others are compared. */
export const selectiveEncryption: Counterpart = (match, { percent }, scene) => {
  const share = 100 - Number(percent);
  return gradientShare(match, { percent: share, side: "bottom" }, scene);
};

/** Where columns of the last layer's weight are 0: they are not compared. */
export const soteria: Counterpart = (match, _, scene) => {
  if (scene.clients > 1 || !zerosStay(scene)) return undefined;
  const at = scene.names.indexOf(scene.head);
  const masks = match.targets.map((t, i) => {
    if (i !== at) return ones(t.shape);
    return broadcastTo(nonZero(sum(nonZero(t), [0], { keepDims: true })), t.shape);
  });
  return { match: masked(match, masks), about: "leaves out the zeroed columns of the last layer" };
};

const SEEN = "compares only the entries that it sees";

/** Whether zeros of this defence are still zeros in what is observed: nothing after it adds noise or other clients' entries. */
function zerosStay({ later, clients }: Scene): boolean {
  return clients === 1 && later.every(({ name }) => KEEPS_ZEROS.has(name));
}

const NOISE = "zero-sum-noise";
const KEEPS_ZEROS: ReadonlySet<string> = new Set([
  "sparsify",
  "gradient-share",
  "selective-encryption",
  "soteria",
  "quantise",
  "sign",
  "guardian-objective",
  NOISE, // in proportion to the entry
  "secure-aggregation", // of one client
]);

/** Zeros that may be anything up to a limit of their tensor; with noise, before or after, which moves the limit, they are left out. */
function below(match: Match, limits: readonly Node[], { later }: Scene) {
  const noisy = match.variances || later.some(({ name, settings }) => name === NOISE && Number(settings.strength) > 0);
  if (noisy || match.signs !== "none") return { match: seen(match), about: SEEN };
  const slack = match.targets.map((t, i) => mul(others(nonZero(t)), broadcastTo(limits[i]!, t.shape)));
  const told = match.targets.map((t, i) => broadcastTo(nonZero(limits[i]!), t.shape)); // of one that is all zeros, nothing
  return {
    match: { ...masked(match, told), slack: summed(match.slack, slack) },
    about: "lets hidden entries be anything up to the smallest that it sees",
  };
}

/** Only entries that are not 0 are compared. */
export function seen(match: Match): Match {
  return masked(match, match.targets.map(nonZero));
}

function masked(match: Match, masks: readonly Node[]): Match {
  return { ...match, masks: match.masks ? match.masks.map((m, i) => mul(m, masks[i]!)) : masks };
}

function applied(match: Match, masks: readonly Node[]): Match {
  return { ...match, candidates: match.candidates.map((g, i) => mul(g, masks[i]!)) };
}
