import { float32, scalarOf, type Tensor, type Tensors } from "../../tensor/index.ts";
import { type Key, split } from "../../util/index.ts";
import type { AttackSettings } from "../settings.ts";
import type { Search, SearchPoint, SearchStep, Surroundings } from "./types.ts";

const LOSS = "loss";
const WORST = 3e38; // finite in float32: the loss of a candidate that has not moved, or cannot
const named = (k: number, name: string) => `candidate${k}.${name}`;

/**
 * Several candidates advanced side by side by one search, each from its own start.
 *
 * An iteration steps all of them and costs the sum of their evaluations. What they give is the candidate of lowest loss
 * (`consensus: best`, of the attack's own loss at the point last stepped from) or their mean image. With
 * `groupConsistency` each is told the mean of all before it steps. A candidate that fails stays where it is while another
 * still moves; the run fails when all do.
 * Source: restarts, Geiping et al., NeurIPS 2020; several seeds and their mean, Yin et al., CVPR 2021.
 */
export function candidates(
  search: Search,
  { restarts, consensus, groupConsistency }: Pick<AttackSettings, "restarts" | "consensus" | "groupConsistency">,
): Search {
  const all = Array.from({ length: restarts }, (_, k) => k);
  const pointOf = ({ iteration, tensors }: SearchPoint, k: number): SearchPoint => {
    const prefix = named(k, "");
    const own = Object.entries(tensors).filter(([name]) => name.startsWith(prefix) && name !== named(k, LOSS));
    return { iteration, tensors: Object.fromEntries(own.map(([name, t]) => [name.slice(prefix.length), t])) };
  };
  const keyOf = (key: Key, k: number) => split(key, k);
  const images = (at: SearchPoint) => Promise.all(all.map((k) => search.images(pointOf(at, k))));
  const surroundings = async (at: SearchPoint, around: Surroundings, k: number): Promise<Surroundings> => ({
    key: keyOf(around.key, k),
    ...(groupConsistency > 0 && { centre: meanOf(await images(at)) }),
  });
  const best = ({ tensors }: SearchPoint): number => {
    const losses = all.map((k) => lossOf(tensors, k));
    return losses.indexOf(Math.min(...losses));
  };
  return {
    initial: (key) => Object.assign({}, ...all.map((k) => prefixed(k, search.initial(split(key, k)), WORST))),
    step: async (at, around) => {
      const told = await surroundings(at, around, 0);
      const steps: SearchStep[] = [];
      for (const k of all) steps.push(await search.step(pointOf(at, k), { ...told, key: keyOf(around.key, k) }));
      return together(steps, at);
    },
    images: async (at) => (consensus === "mean" ? meanOf(await images(at)) : search.images(pointOf(at, best(at)))),
    labelLogits: (at) => search.labelLogits(pointOf(at, best(at))),
    probe: async (at, around) => {
      const k = best(at);
      return search.probe(pointOf(at, k), await surroundings(at, around, k));
    },
    program: (at, around) => search.program(pointOf(at, 0), { ...around, key: keyOf(around.key, 0) }),
    release: search.release,
  };
}

function together(steps: readonly SearchStep[], { tensors }: SearchPoint): SearchStep {
  const alive = steps.filter((step) => step.failure === undefined);
  if (alive.length === 0) return { ...steps[0]!, tensors };
  const leader = alive.reduce((a, b) => (b.loss < a.loss ? b : a));
  return {
    tensors: Object.assign({}, ...steps.map((step, k) => prefixed(k, step.tensors, lossAfter(step, tensors, k)))),
    evaluations: steps.reduce((sum, step) => sum + step.evaluations, 0),
    loss: leader.loss,
    cosine: leader.cosine,
    gradientNorm: leader.gradientNorm,
    ...(alive.every((step) => step.settled) && { settled: true }),
  };
}

/** A failed candidate is never the best. */
function lossAfter(step: SearchStep, before: Tensors<"float32">, k: number): number {
  if (step.failure !== undefined) return WORST;
  return Number.isFinite(step.loss) ? step.loss : lossOf(before, k);
}

function lossOf(tensors: Tensors<"float32">, k: number): number {
  return scalarOf(tensors[named(k, LOSS)]!);
}

function prefixed(k: number, tensors: Tensors<"float32">, loss: number): Tensors<"float32"> {
  const own = Object.entries(tensors).map(([name, t]) => [named(k, name), t]);
  return { ...Object.fromEntries(own), [named(k, LOSS)]: float32([], [loss]) };
}

function meanOf(images: readonly Tensor<"float32">[]): Tensor<"float32"> {
  const data = images[0]!.data.map((_, i) => images.reduce((sum, x) => sum + x.data[i]!, 0) / images.length);
  return float32(images[0]!.shape, data);
}
