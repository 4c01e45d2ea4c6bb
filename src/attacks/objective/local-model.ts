import { type LocalSchedule, stepShares } from "../../fl/index.ts";
import { add, concat, crossEntropy, grad, mul, type Node, slice, sub } from "../../graph/index.ts";
import type { BatchStatistics, Mode, Model } from "../../nn/index.ts";
import type { AttackSettings } from "../settings.ts";

type Nodes = Readonly<Record<string, Node>>;

/** What candidate images would have led to. */
export interface Simulated {
  /** By each parameter in the model's order: a gradient, or the mean of those of the local steps. */
  readonly update: readonly Node[];
  /** The output of each nonlinearity for all images. */
  readonly activations: readonly Node[];
  /** Of the images together or, step by step, the mean that running statistics would tell (`stepShares`). */
  readonly statistics: Readonly<Record<string, BatchStatistics>>;
}

/** How an attacker imagines the client. */
export interface LocalModelling {
  readonly model: Model;
  readonly mode: Mode;
  readonly settings: Pick<AttackSettings, "localModel" | "surrogateAt" | "labels">;
  /** The client's local training, where the server knows it; undefined: its update is taken for one gradient. */
  readonly local?: LocalSchedule | undefined;
}

/** Nodes of what the server holds, by parameter and buffer name. */
export interface Held {
  readonly params: Nodes;
  readonly buffers: Nodes;
  /** ĝ, the observed update. */
  readonly targets: Nodes;
}

/**
 * What a client would have sent of x [S·B,C,H,W] with label probabilities [S·B,N], by the setting `localModel`:
 *
 * averaged:  g′ = ∇_w CE(F(x; w), y) of all images at once, at the weights handed out
 * surrogate: the same at w − t·η·(S−1)·ĝ, a point on the line from the first step's weights, t = 0, to the last's, t = 1
 * unrolled:  g′ = (1/S)·Σ_s g_s, where g_s = ∇_w CE(F(x_s; w_s), y_s) and w_{s+1} = w_s − η·g_s: the client's own steps
 * One gradient, or a schedule that is not known: all three are the first. Which image came when is never known: `unrolled`
 * deals the candidates to the steps in turn (our choice), row i to step i mod S. Known and inferred labels are ascending,
 * so that every step gets labels of the whole range, as from a shuffled client; with `labels` joint every row starts from
 * the frequencies of all of them instead and finds its own (`findsOrder`).
 * Source: averaged, METHODS 1.8; unrolled, Geiping et al., "Inverting gradients", NeurIPS 2020, Section 6; surrogate, Zhu,
 * Yao and Blaschko, "Surrogate model extension", ICML 2023. Differs: there the point is learned and may be that of the
 * weights sent back, of which no gradient was taken; here it is a setting, and ½ is the mean of the steps' own.
 */
export function localModel(of: LocalModelling, held: Held): (x: Node, labels: Node) => Simulated {
  const { settings, local } = of;
  if (local === undefined || settings.localModel === "averaged") {
    return (x, labels) => gradientAt(of, held, held.params, x, labels);
  }
  if (settings.localModel === "surrogate") {
    const way = settings.surrogateAt * local.learningRate * (local.steps - 1);
    const point = moved(held.params, Object.values(held.targets), way);
    return (x, labels) => gradientAt(of, held, point, x, labels);
  }
  return (x, labels) => unrolled(of, held, local, x, labels);
}

/** How the client was imagined, in words, and why so where the settings ask for something else. */
export function localModelText(
  { settings, local }: Pick<LocalModelling, "settings" | "local">,
  instead?: string,
): string {
  if (!local) return "the update is taken for one gradient, at the weights handed out";
  const how = {
    averaged: "the update is taken for one gradient of all images, at the weights handed out",
    surrogate: `the update is taken for one gradient of all images, ${settings.surrogateAt} of the way to the last step's weights`,
    unrolled: `the ${local.steps} steps are simulated; which image came when is not known: ${
      findsOrder(settings, local)
        ? "labels are found with the images, from the frequencies of all"
        : "labels are dealt to the steps in turn"
    }`,
  }[settings.localModel];
  return instead === undefined ? how : `${how} (${instead})`;
}

/** Whether labels, granted ones too, are optimised so that each finds its step. */
export function findsOrder(
  { localModel: kind, labels }: Pick<AttackSettings, "localModel" | "labels">,
  local: LocalSchedule | undefined,
): boolean {
  return local !== undefined && kind === "unrolled" && labels === "joint";
}

function gradientAt(
  { model, mode }: LocalModelling,
  { buffers }: Held,
  params: Nodes,
  x: Node,
  labels: Node,
): Simulated {
  const { logits, activations, statistics } = model.forward({ params, buffers, x, mode });
  return { update: grad(crossEntropy(logits, labels), Object.values(params)), activations, statistics };
}

function unrolled(of: LocalModelling, held: Held, local: LocalSchedule, x: Node, labels: Node): Simulated {
  const made: Simulated[] = [];
  let params = held.params;
  for (let s = 0; s < local.steps; s++) {
    const step = gradientAt(of, held, params, dealt(x, s, local.steps), dealt(labels, s, local.steps));
    params = moved(params, step.update, local.learningRate);
    made.push(step);
  }
  const first = made[0]!;
  const shares = stepShares(local.steps);
  const weighted = (name: string, kind: "mean" | "variance") =>
    total(made.map(({ statistics }, s) => mul(statistics[name]![kind], shares[s]!)));
  return {
    update: first.update.map((_, p) => mul(total(made.map(({ update }) => update[p]!)), 1 / local.steps)),
    activations: first.activations.map((_, l) =>
      concat(
        made.map(({ activations }) => activations[l]!),
        0,
      ),
    ),
    statistics: Object.fromEntries(
      Object.entries(first.statistics).map(([name, { count }]) => [
        name,
        { mean: weighted(name, "mean"), variance: weighted(name, "variance"), count },
      ]),
    ),
  };
}

/** w − rate·g, parameter by parameter. */
function moved(params: Nodes, gradients: readonly Node[], rate: number): Nodes {
  return Object.fromEntries(Object.entries(params).map(([name, w], i) => [name, sub(w, mul(gradients[i]!, rate))]));
}

/** The rows s, s + S, s + 2S … of S·B: those of step s. */
function dealt(rows: Node, step: number, steps: number): Node {
  const [count, ...rest] = rows.shape;
  const still = rest.map(() => 0);
  return slice(rows, [step, ...still], [count! / steps, ...rest], [steps, ...rest.map(() => 1)]);
}

function total(nodes: readonly Node[]): Node {
  return nodes.reduce((a, b) => add(a, b));
}
