import type { KnownDefence, Observation } from "../../../fl/index.ts";
import { inputsFor, type Model } from "../../../nn/index.ts";
import { fail } from "../../../util/index.ts";
import type { AttackSettings } from "../../settings.ts";
import { adapt } from "./adapt.ts";
import { clippable } from "./adaptive-distance.ts";

/**
 * The defences that an attack re-applies; undefined: it does not, the setting `adaptive` is off.
 *
 * Throws FedleakError where it is on and the server does not know them.
 */
export function knownDefences(
  attack: string,
  { adaptive }: Pick<AttackSettings, "adaptive">,
  { defences, granted }: Observation,
): readonly KnownDefence[] | undefined {
  if (!adaptive) return undefined;
  if (defences) return defences;
  return fail({
    who: `attack ${attack}`,
    must: 'the threat model must grant "defence" when adaptive is on: only who knows the defences can re-apply them',
    got: granted.join(", ") || "nothing granted",
    remedy: "Pass --grant defence, or leave --adaptive away.",
  });
}

/** What an adaptive attack does about each defence, in words, for the ledger. */
export function adaptationText(
  model: Model,
  defences: readonly KnownDefence[],
  batchSize: number,
  { parameterisation }: Pick<AttackSettings, "parameterisation">,
): string {
  if (defences.length === 0) return "no defence to re-apply";
  const nodes = Object.values(inputsFor(model.params, "text."));
  const { about } = adapt(nodes, nodes, defences, {
    names: model.params.map(({ name }) => name),
    weights: nodes,
    head: model.head.weight,
    batchSize,
    imageGradients: clippable(batchSize) ? () => [nodes] : undefined,
  });
  return [...about, ...(parameterisation === "columns" ? [NO_NEIGHBOURS] : [])].join("; ");
}

const NO_NEIGHBOURS = "columns are no neighbours: no smoothness is expected where little is told";
