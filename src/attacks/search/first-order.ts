import { type Schedule, zeroState } from "../../optim/index.ts";
import { compile } from "../../runtime/index.ts";
import { float32, type Shape, sizeOf, type Tensors } from "../../tensor/index.ts";
import { type Key, normal, split } from "../../util/index.ts";
import { transformOf } from "../optimiser.ts";
import { judge } from "./judge.ts";
import { buildStep, LABELS, LEARNING_RATE, labelTransform, NOISE } from "./step-graph.ts";
import type { Search, SearchPoint, Surroundings } from "./types.ts";
import { asTensors, type Candidate, centreFeed, holds, shapesOf, viewOf } from "./view.ts";

/** How far a search by gradient moves in iteration 0, 1, … of its own. */
export interface Pace {
  readonly learningRate: number;
  readonly schedule: Schedule;
}

/**
 * Steps along the gradient: one program an iteration, with look-ahead, optimiser and projection in it (`buildStep`).
 *
 * Its tensors are the variables, the optimiser's memory, the parameterisation's buffers and, where labels are optimised,
 * their logits.
 */
export async function firstOrder(candidate: Candidate, { learningRate, schedule }: Pace): Promise<Search> {
  const { parameterisation, labels, settings, options } = candidate;
  const transform = transformOf(settings);
  const graph = buildStep({ ...candidate, transform, learningRate });
  const program = await compile(graph.outputs, options);
  const view = viewOf(candidate);

  const memory = {
    ...zeroState(transform, parameterisation.variables),
    ...("logits" in labels && zeroState(labelTransform, { [LABELS]: labels.logits.shape })),
  };
  const shapes = {
    ...shapesOf(candidate),
    ...Object.fromEntries(Object.entries(memory).map(([name, { shape }]) => [name, shape])),
  };

  const feedsAt = ({ iteration, tensors }: SearchPoint, around: Surroundings): Tensors<"float32"> => {
    const t = iteration + 1;
    const rate = learningRate * schedule(iteration);
    return {
      ...tensors,
      ...asTensors({ ...transform.scalars(t), ...labelTransform.scalars(t), [LEARNING_RATE]: rate }),
      ...(settings.langevin > 0 && noiseFor(parameterisation.variables, split(around.key, iteration))),
      ...centreFeed(settings, around),
    };
  };

  return {
    ...view,
    initial: (key) => ({
      ...parameterisation.initial(key),
      ...memory,
      ...("logits" in labels && { [LABELS]: labels.logits }),
    }),
    fits: ({ tensors }) => holds(tensors, shapes),
    step: async (at, around) =>
      judge(at, await program.run(feedsAt(at, around)), {
        evaluations: graph.evaluations,
        variables: Object.keys(parameterisation.variables),
      }),
    program: (at, around) => ({ outputs: graph.outputs, options, feeds: feedsAt(at, around) }),
    release: async () => {
      await Promise.all([program.release(), view.release()]);
    },
  };
}

/** Draws from N(0,1) of each variable's shape. */
function noiseFor(variables: Readonly<Record<string, Shape>>, key: Key): Tensors<"float32"> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, shape]) => [
      NOISE + name,
      float32(shape, normal(split(key, name), sizeOf(shape))),
    ]),
  );
}
