import type { Device } from "../../runtime/index.ts";
import { type Finding, found, short, someOf } from "./finding.ts";
import type { LayerRow } from "./layer-rows.ts";
import type { CapturedUpdate } from "./read.ts";
import { imbalance, type Silent, type Symmetry, symmetriesOf } from "./symmetry.ts";

/**
 * Whether the update is a gradient of this model at these very weights, by the symmetries of the model.
 *
 * Where outputs do not change when some weights are scaled, neither does the loss, so the gradient has no part in that
 * direction. Only the weights that it was taken at fulfil this. Over S local steps the weights wander: what they moved,
 * relative to their norm and times S, is allowed for.
 */
export async function symmetryLaw(
  captured: CapturedUpdate,
  rows: readonly LayerRow[],
  where: { readonly device: Device; readonly threads: number },
): Promise<Finding[]> {
  const { network, before, estimate, manifest } = captured;
  if (manifest.optimiser.name !== "sgd") return [];
  const whole = (name: string) => Object.hasOwn(estimate.update, name);
  const { scales, silent } = await symmetriesOf(network, before, { mode: manifest.batchNorm, ...where });
  const quiet = silentLaw(captured, rows, silent);
  const usable = scales.filter(({ outgoing, incoming = outgoing[0]! }) => [...outgoing, incoming].every(whole));
  if (usable.length === 0) {
    const text =
      "no symmetry of this model ties the gradient to the weights handed out: that it was taken at them cannot be tested";
    return [...quiet, found("symmetry", "note", text)];
  }
  const tested = usable.map((symmetry) => {
    const off = imbalance(symmetry, before.params, estimate.update);
    return { symmetry, off, limit: limitOf(symmetry) };
  });
  const worst = tested.reduce((a, b) => (b.off / b.limit > a.off / a.limit ? b : a));
  const about = `${namesOf(worst.symmetry)} is off by ${short(worst.off)}, at most ${short(worst.limit)} is allowed`;
  if (worst.off <= worst.limit) {
    return [
      ...quiet,
      found(
        "symmetry",
        "passed",
        `${tested.length} symmetries of the model hold, as they do for a gradient at these weights (${about})`,
      ),
    ];
  }
  const broken = tested.filter(({ off, limit }) => off > limit).length;
  const text =
    `this is no gradient of the model at the weights handed out: ${broken} of ${tested.length} symmetries do not hold (${about}); ` +
    "the weights are of another round or model, or noise or a defence changed the update";
  return [...quiet, found("symmetry", "broken", text)];

  function limitOf({ outgoing, incoming, leftover }: Symmetry): number {
    const involved = rows.filter(({ name }) => outgoing.includes(name) || name === incoming);
    const rounding = Math.max(...involved.map((row) => row.rounding));
    return EXACT + LEFTOVER * leftover + ROUNDING * rounding + (manifest.localSteps > 1 ? wander(involved) : 0);
  }

  function wander(involved: readonly LayerRow[]): number {
    const moved = (manifest.learningRate ?? 1) * manifest.localSteps;
    const shares = involved.map(({ norm, weightNorm }) => (weightNorm === 0 ? 0 : ((norm ?? 0) * moved) / weightNorm));
    return manifest.localSteps * Math.max(...shares);
  }
}

/** Whether biases right before BatchNorm have no gradient, at whatever weights. */
function silentLaw(
  { estimate: { update } }: CapturedUpdate,
  rows: readonly LayerRow[],
  silent: readonly Silent[],
): Finding[] {
  const tested = silent.filter(({ weight, bias }) => Object.hasOwn(update, bias) && Object.hasOwn(update, weight));
  if (tested.length === 0) return [];
  const rowOf = (name: string) => rows.find((row) => row.name === name)!;
  const loud = tested.filter(({ weight, bias }) => {
    const [w, b] = [rowOf(weight), rowOf(bias)];
    return b.norm! > (LOUD + ROUNDING * w.rounding) * w.norm!;
  });
  if (loud.length === 0)
    return [found("silent-bias", "passed", `${tested.length} biases before BatchNorm have no gradient, as they must`)];
  const names = someOf(loud.map(({ bias }) => bias));
  return [
    found(
      "silent-bias",
      "broken",
      `biases that BatchNorm takes off have a gradient: ${names}; noise, or another model`,
    ),
  ];
}

const LOUD = 1e-2; // of the weight's gradient; float32 sums give 1e-6; our choice
const EXACT = 1e-3; // float32 gradients are off by 1e-6 or so, others by 1e-2 and more; our choice
const LEFTOVER = 10; // times what the symmetry itself lacks; our choice
const ROUNDING = 3; // times the share of rounding; our choice

function namesOf({ outgoing, incoming }: Symmetry): string {
  return incoming === undefined ? outgoing[0]! : `${outgoing[0]} against ${incoming}`;
}
