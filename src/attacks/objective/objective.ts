import type { ChannelStatistics, KnownDefence } from "../../fl/index.ts";
import { add, crossEntropy, grad, input, mul, type Node, narrow, totalVariation } from "../../graph/index.ts";
import { inputsFor } from "../../nn/index.ts";
import type { Tensors } from "../../tensor/index.ts";
import { activationPenalty } from "../prior/activation.ts";
import { distanceToCentre, meanNorm, statisticsPrior } from "../prior/images.ts";
import type { AttackSettings } from "../settings.ts";
import { adaptiveDistance } from "./adaptive/index.ts";
import { cosineSimilarity, gradientDistance } from "./distance.ts";
import { type LocalModelling, localModel } from "./local-model.ts";
import { magnitudeMasks } from "./mask.ts";

/** What an attack minimises, at one candidate. */
export interface ObjectiveValue {
  /** dist(g′, ĝ) + the weighted priors on x, a scalar. */
  readonly loss: Node;
  /** cos(g′, ĝ) over all entries, whatever the mask: comparable between attacks. A scalar in [−1, 1]. */
  readonly cosine: Node;
}

/** x [B,C,H,W] and the rows' label probabilities [B,N] → loss. */
export type Objective = (x: Node, labels: Node) => ObjectiveValue;

// How the inputs are called that hold what is known: global weights and the observed update.
const [WEIGHT, BUFFER, TARGET] = ["weight.", "buffer.", "target."] as const;
/** The input that holds the mean of all candidates' images, for `groupConsistency`. */
export const CENTRE = "centre";

/** What is matched, by whom and how. */
export interface Matching extends LocalModelling {
  readonly settings: AttackSettings;
  /** The client's batch statistics by module name, where they are granted. */
  readonly statistics: Readonly<Record<string, ChannelStatistics>> | undefined;
  /** What the clients do to their updates, where the attack re-applies it. */
  readonly defences?: readonly KnownDefence[] | undefined;
}

/**
 * Gradient matching: how far what candidate images would have sent is from the observed update, plus priors.
 *
 * g′ is that of `localModel`, over all parameters: for one gradient ∇_w CE(F(x; w), labels). The weights, buffers and target are inputs; `knownTensors` has their values.
 * Source: FedLeak, Equation 2 and Section 4.4.
 */
export function gradientMatching(matching: Matching): Objective {
  const { model, mode, settings, statistics, defences } = matching;
  const params = inputsFor(model.params, WEIGHT);
  const targets = inputsFor(model.params, TARGET);
  const buffers = inputsFor(model.buffers, BUFFER);
  const simulate = localModel(matching, { params, buffers, targets });
  return (x, labels) => {
    const { update: candidates, activations, statistics: seen } = simulate(x, labels);
    const goal = Object.values(targets);
    const imageGradient = (b: number) => {
      const own = model.forward({ params, buffers, x: narrow(x, 0, b, 1), mode }).logits;
      return grad(crossEntropy(own, narrow(labels, 0, b, 1)), Object.values(params));
    };
    const known = { model, settings, weights: Object.values(params), candidates, targets: goal, x, imageGradient };
    const distance = defences
      ? adaptiveDistance({ ...known, defences })
      : gradientDistance(candidates, goal, magnitudeMasks(candidates, settings), settings);
    const priors: readonly (readonly [weight: number, term: () => Node])[] = [
      [settings.tv, () => totalVariation(x)],
      [settings.l2Prior, () => meanNorm(x)],
      [settings.activationPenalty, () => activationPenalty(activations)],
      [statistics ? settings.bnPrior : 0, () => statisticsPrior(seen, statistics ?? {})],
      [settings.restarts > 1 ? settings.groupConsistency : 0, () => distanceToCentre(x, input(CENTRE, x.shape))],
    ];
    return {
      loss: priors.reduce((sofar, [weight, term]) => (weight > 0 ? add(sofar, mul(term(), weight)) : sofar), distance),
      cosine: cosineSimilarity(candidates, goal),
    };
  };
}

/** The values of the objective's inputs, to be baked into a program. */
export function knownTensors(known: {
  readonly params: Tensors<"float32">;
  readonly buffers: Tensors<"float32">;
  readonly update: Tensors<"float32">;
}): Tensors<"float32"> {
  const named = (prefix: string, tensors: Tensors<"float32">) =>
    Object.entries(tensors).map(([name, t]) => [prefix + name, t] as const);
  return Object.fromEntries([
    ...named(WEIGHT, known.params),
    ...named(BUFFER, known.buffers),
    ...named(TARGET, known.update),
  ]);
}
