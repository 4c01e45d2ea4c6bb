import { constant, softmax } from "../../graph/index.ts";
import { cmaEsAsk, cmaEsInitial, cmaEsTell } from "../../optim/index.ts";
import { compile } from "../../runtime/index.ts";
import { float32, scalarOf, type Tensors } from "../../tensor/index.ts";
import { split } from "../../util/index.ts";
import { notFinite } from "./judge.ts";
import { LABELS } from "./step-graph.ts";
import type { Search } from "./types.ts";
import { joined, parted } from "./vector.ts";
import { type Candidate, centreFeed, holds, inputNodes, shapesOf, viewOf } from "./view.ts";

const DISTRIBUTION = "cma.";
const BEST_LOSS = "cma.best-loss";

/**
 * Covariance matrix adaptation: a generation of points is drawn around a mean, and by the rank of their losses the mean
 * moves and the spread adapts. It asks for losses only, so it goes through decoders that no gradient gets through.
 *
 * The variables in the state are the best point that was tried, by loss. Each point counts as an evaluation. Label logits stay as they
 * are. Source: `cmaEsTell`; in this field Li et al., CVPR 2022.
 */
export async function cmaEs(candidate: Candidate): Promise<Search> {
  const { parameterisation, objective, labels, settings, options } = candidate;
  const { variables } = parameterisation;
  const places = inputNodes({ ...variables, ...parameterisation.buffers, ...parameterisation.fixed });
  const logits = "logits" in labels ? inputNodes({ [LABELS]: labels.logits.shape }) : {};
  const { images } = parameterisation.decode(places);
  const { loss, cosine } = objective(images, "fixed" in labels ? constant(labels.fixed) : softmax(logits[LABELS]!));
  const outputs = { loss, cosine };
  const program = await compile(outputs, options);
  const view = viewOf(candidate);
  const distributionOf = (tensors: Tensors<"float32">) =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith(DISTRIBUTION)));

  return {
    ...view,
    initial: (key) => {
      const first = parameterisation.initial(key);
      const mean = joined(first, variables);
      return {
        ...first,
        ...("logits" in labels && { [LABELS]: labels.logits }),
        ...cmaEsInitial({ mean, sigma: settings.learningRate }),
      };
    },
    fits: ({ tensors }) => holds(tensors, shapesOf(candidate), (name) => name.startsWith(DISTRIBUTION)),
    step: async (at, around) => {
      const state = distributionOf(at.tensors);
      const points = cmaEsAsk(state, split(around.key, at.iteration), settings.population);
      const size = points.shape[1]!;
      const losses: number[] = [];
      const cosines: number[] = [];
      for (let k = 0; k < settings.population; k++) {
        const point = parted(points.data.subarray(k * size, (k + 1) * size), variables);
        const out = await program.run({ ...at.tensors, ...point, ...centreFeed(settings, around) });
        losses.push(scalarOf(out.loss!));
        cosines.push(scalarOf(out.cosine!));
      }
      const finite = losses.filter(Number.isFinite);
      const best = losses.indexOf(Math.min(...finite));
      const measured = { loss: losses[best] ?? Number.NaN, cosine: cosines[best] ?? Number.NaN, gradientNorm: 0 };
      const evaluations = settings.population;
      if (finite.length === 0) {
        return { tensors: at.tensors, evaluations, ...measured, failure: notFinite(at.iteration, measured) };
      }
      const before = at.tensors[BEST_LOSS];
      const better = !before || measured.loss < scalarOf(before);
      const score = better ? measured.loss : scalarOf(before);
      const tensors = {
        ...at.tensors,
        ...cmaEsTell(state, points, losses),
        ...(better && parted(points.data.subarray(best * size, (best + 1) * size), variables)),
        [BEST_LOSS]: float32([], [score]),
      };
      return { tensors, evaluations, score, ...measured };
    },
    program: ({ tensors }, around) => ({ outputs, options, feeds: { ...tensors, ...centreFeed(settings, around) } }),
    release: async () => {
      await Promise.all([program.release(), view.release()]);
    },
  };
}
