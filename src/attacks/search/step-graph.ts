import {
  add,
  constant,
  div,
  grad,
  input,
  maximum,
  mul,
  type Node,
  sign,
  softmax,
  stopGradient,
} from "../../graph/index.ts";
import { adam, descend, globalNorm, mapNodes, type Nodes, scalarInputs, type Transform } from "../../optim/index.ts";
import type { Shape, Tensor } from "../../tensor/index.ts";
import type { Objective } from "../objective/objective.ts";
import type { Parameterisation } from "../parameterisation/index.ts";
import type { AttackSettings } from "../settings.ts";

/** The labels as the loss sees them: fixed rows of probabilities [B,N], or logits that are optimised, from these on. */
export type LabelValues = { readonly fixed: Tensor<"float32"> } | { readonly logits: Tensor<"float32"> };

export interface StepParts {
  readonly parameterisation: Parameterisation;
  readonly objective: Objective;
  readonly labels: LabelValues;
  readonly transform: Transform;
  readonly settings: AttackSettings;
  /** The images' step size before the schedule. */
  readonly learningRate: number;
}

/** The optimised label logits' name in the state. */
export const LABELS = "labels";
/** The input that holds this iteration's step size. */
export const LEARNING_RATE = "learning-rate";
/** Inputs of N(0,1) draws for each variable: this and the variable's name. */
export const NOISE = "noise.";
/** Outputs that are the next state: this and the tensor's name. */
export const NEXT = "next.";
/** The labels' own rule, whatever moves the images (our choice): its scalars are Adam's. */
export const labelTransform = adam();

const SMALLEST_NORM = 1e-12; // our choice: below it the uphill look-ahead stays where it is

/** One iteration as one graph. */
export interface StepGraph {
  /** `next.<state tensor>` for all that change, and the scalars loss, cosine, gradientNorm at the point stepped from. */
  readonly outputs: Readonly<Record<string, Node>>;
  /** How often the candidate's gradient is evaluated: 1, or 2 with a look-ahead. */
  readonly evaluations: 1 | 2;
}

/**
 * One whole iteration as a graph: state in, state out.
 *
 * With D the gradient of the objective by the variables and s its sign if `signed`, else itself:
 *   γ = 0:    update = s(D(x))
 *   uphill:   update = (1−γ)·s(D(x)) + γ·s(D(x + ε·D(x)/‖D(x)‖))
 *   descent:  update = (1−γ)·s(D(x)) + γ·s(D(x̃)), x̃ where the optimiser and the projection would bring x by s(D(x)) alone
 * then x ← project(x − optimiser(update)). The look-ahead point is a constant: nothing is differentiated through it.
 * Label logits, when optimised, stay where they are during the look-ahead; their two gradients are blended likewise,
 * unsigned, and moved by Adam.
 * With `langevin` λ > 0 the new point, not the trial, is moved by rate·λ·N(0,1) before it is projected (Yin et al., "See
 * through gradients", CVPR 2021).
 * Source: FedLeak, Equations 12 and 13 (uphill); Appendix D and the released program (descent; there γ = 0.3, signed).
 * Differs (our choice): the trial step leaves no trace in the optimiser's moments.
 */
export function buildStep(parts: StepParts): StepGraph {
  const { parameterisation, objective, labels, transform, settings, learningRate } = parts;
  const { gamma, signed, langevin, labelLearningRate } = settings;
  const variables = inputs(parameterisation.variables);
  const fixed = inputs(parameterisation.fixed);
  const logits: Nodes = "logits" in labels ? inputs({ [LABELS]: labels.logits.shape }) : {};
  const target = "fixed" in labels ? constant(labels.fixed) : softmax(logits[LABELS]!);
  const state = (of: Transform, nodes: Nodes) =>
    inputs(
      Object.fromEntries(of.slots.flatMap((slot) => Object.entries(nodes).map(([n, x]) => [`${slot}.${n}`, x.shape]))),
    );
  const scalars = scalarInputs(transform);
  const rate = input(LEARNING_RATE, []);
  const shaken = (moved: Nodes) =>
    mapNodes(moved, (x, name) => add(x, mul(mul(rate, langevin), input(NOISE + name, x.shape))));
  const move = (gradients: Nodes, finish: (moved: Nodes) => Nodes = (moved) => moved) => {
    const moved = descend({
      transform,
      variables,
      gradients,
      state: state(transform, variables),
      scalars,
      learningRate: rate,
    });
    return { variables: parameterisation.project(finish(moved.variables)), state: moved.state };
  };

  const evaluate = (at: Nodes, memory: Nodes) => {
    const { images, buffers } = parameterisation.decode({ ...at, ...memory, ...fixed });
    const { loss, cosine } = objective(images, target);
    const places = { ...at, ...logits };
    const found = grad(loss, Object.values(places));
    const gradients = Object.fromEntries(Object.keys(places).map((name, i) => [name, found[i]!]));
    return {
      loss,
      cosine,
      buffers,
      byVariable: mapNodes(at, (_, n) => gradients[n]!),
      byLabel: mapNodes(logits, (_, n) => gradients[n]!),
    };
  };
  const shaped = (gradients: Nodes) => (signed ? mapNodes(gradients, sign) : gradients);

  const here = evaluate(variables, inputs(parameterisation.buffers));
  const norm = globalNorm(here.byVariable);
  const pointAhead = (): Nodes => {
    if (settings.lookahead === "descent") return move(shaped(here.byVariable)).variables;
    const scale = div(settings.lookaheadStep, maximum(norm, SMALLEST_NORM));
    return mapNodes(variables, (x, name) => add(x, mul(here.byVariable[name]!, scale)));
  };
  const ahead = gamma > 0 ? evaluate(mapNodes(pointAhead(), stopGradient), here.buffers) : undefined;
  const blend = (now: Nodes, then: Nodes | undefined) =>
    then ? mapNodes(now, (g, name) => add(mul(g, 1 - gamma), mul(then[name]!, gamma))) : now;

  const blended = blend(shaped(here.byVariable), ahead && shaped(ahead.byVariable));
  const moved = langevin > 0 ? move(blended, shaken) : move(blended);
  const movedLabels = descend({
    transform: labelTransform,
    variables: logits,
    gradients: blend(here.byLabel, ahead?.byLabel),
    state: state(labelTransform, logits),
    scalars: scalarInputs(labelTransform),
    learningRate: mul(rate, labelLearningRate / learningRate), // one schedule for both
  });
  const next = { ...moved.variables, ...moved.state, ...movedLabels.variables, ...movedLabels.state };
  return {
    outputs: {
      ...renamed({ ...next, ...(ahead ?? here).buffers }),
      loss: here.loss,
      cosine: here.cosine,
      gradientNorm: norm,
    },
    evaluations: ahead ? 2 : 1,
  };
}

function inputs(shapes: Readonly<Record<string, Shape>>): Nodes {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, input(name, shape)]));
}

function renamed(nodes: Nodes): Nodes {
  return Object.fromEntries(Object.entries(nodes).map(([name, node]) => [NEXT + name, node]));
}
