import { float32, scalarOf, type Tensor, type Tensors } from "../../tensor/index.ts";
import { split } from "../../util/index.ts";
import type { AttackSettings } from "../settings.ts";
import type { Search, SearchPoint, SearchStep, Surroundings } from "./types.ts";

// Beside each candidate's own tensors: its score, and 1 once it has nothing left to gain.
const [SCORE, SETTLED] = ["score", "settled"] as const;
const WORST = 3e38; // finite in float32: the score of a candidate that has not moved, or cannot
const named = (k: number, name: string) => `candidate${k}.${name}`;

/**
 * Several candidates advanced side by side by one search, each from its own start.
 *
 * An iteration steps all of them and costs the sum of their evaluations. What they give is the candidate of lowest score
 * (`consensus: best`, by the attack's own loss) or their mean image. With `groupConsistency` each is told the mean of all
 * before it steps. A candidate that fails or settles steps no more and, if it has failed, is in no mean; the run fails
 * when all have.
 * Source: restarts, Geiping et al., NeurIPS 2020; several seeds and their mean, Yin et al., CVPR 2021.
 */
export function candidates(
  search: Search,
  { restarts, consensus, groupConsistency }: Pick<AttackSettings, "restarts" | "consensus" | "groupConsistency">,
): Search {
  const all = Array.from({ length: restarts }, (_, k) => k);
  const pointOf = ({ iteration, tensors }: SearchPoint, k: number): SearchPoint => {
    const prefix = named(k, "");
    const own = Object.entries(tensors).filter(
      ([name]) => name.startsWith(prefix) && name !== named(k, SCORE) && name !== named(k, SETTLED),
    );
    return { iteration, tensors: Object.fromEntries(own.map(([name, t]) => [name.slice(prefix.length), t])) };
  };
  const failed = ({ iteration, tensors }: SearchPoint, k: number) => iteration > 0 && scoreOf(tensors, k) >= WORST;
  const settled = ({ tensors }: SearchPoint, k: number) => named(k, SETTLED) in tensors;
  const mean = async (at: SearchPoint) => {
    const sound = all.filter((k) => !failed(at, k));
    return meanOf(await Promise.all(sound.map((k) => search.images(pointOf(at, k)))));
  };
  const told = async (at: SearchPoint, around: Surroundings): Promise<Surroundings> =>
    groupConsistency > 0 ? { ...around, centre: await mean(at) } : around;
  const forOne = (around: Surroundings, k: number): Surroundings => ({ ...around, key: split(around.key, k) });
  const best = ({ tensors }: SearchPoint): number => {
    const scores = all.map((k) => scoreOf(tensors, k));
    return scores.indexOf(Math.min(...scores));
  };
  return {
    initial: (key) =>
      Object.assign({}, ...all.map((k) => prefixed(k, search.initial(split(key, k)), { score: WORST }))),
    fits: (at) => all.every((k) => named(k, SCORE) in at.tensors && search.fits(pointOf(at, k))),
    step: async (at, around) => {
      const common = await told(at, around);
      const steps: (SearchStep | undefined)[] = [];
      let { left } = around;
      for (const k of all) {
        const idle = failed(at, k) || settled(at, k) || left <= 0;
        const step = idle ? undefined : await search.step(pointOf(at, k), { ...forOne(common, k), left });
        left -= step?.evaluations ?? 0;
        steps.push(step);
      }
      return together(steps, at);
    },
    images: async (at) => (consensus === "mean" ? mean(at) : search.images(pointOf(at, best(at)))),
    labelLogits: (at) => search.labelLogits(pointOf(at, best(at))),
    probe: async (at, around) => {
      const k = best(at);
      return search.probe(pointOf(at, k), forOne(await told(at, around), k));
    },
    program: (at, around) => search.program(pointOf(at, 0), forOne(around, 0)),
    release: search.release,
  };
}

/** The steps of all candidates as one; undefined for those that stay where they are. */
function together(steps: readonly (SearchStep | undefined)[], at: SearchPoint): SearchStep {
  const taken = steps.filter((step) => step !== undefined);
  const sound = taken.filter((step) => step.failure === undefined);
  const evaluations = taken.reduce((sum, step) => sum + step.evaluations, 0);
  if (sound.length === 0) return { ...taken[0]!, evaluations, tensors: at.tensors };
  const leader = sound.reduce((a, b) => (b.loss < a.loss ? b : a));
  const next = steps.map((step, k) => {
    if (!step) return kept(at.tensors, k);
    const score = step.failure === undefined ? Math.min(WORST, step.score ?? step.loss) : WORST;
    return prefixed(k, step.tensors, { score, ...(step.settled && { settled: 1 }) });
  });
  const done = taken.every((step) => step.settled || step.failure !== undefined);
  return {
    tensors: Object.assign({}, ...next),
    evaluations,
    loss: leader.loss,
    cosine: leader.cosine,
    gradientNorm: leader.gradientNorm,
    ...(done && { settled: true }),
  };
}

function scoreOf(tensors: Tensors<"float32">, k: number): number {
  return scalarOf(tensors[named(k, SCORE)]!);
}

function prefixed(
  k: number,
  tensors: Tensors<"float32">,
  marks: { readonly score: number; readonly settled?: number },
): Tensors<"float32"> {
  const scalars = Object.entries(marks).map(([name, value]) => [named(k, name), float32([], [value])]);
  return Object.fromEntries([...Object.entries(tensors).map(([name, t]) => [named(k, name), t]), ...scalars]);
}

/** A candidate's tensors, marks included, as they are. */
function kept(tensors: Tensors<"float32">, k: number): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith(named(k, ""))));
}

function meanOf(images: readonly Tensor<"float32">[]): Tensor<"float32"> {
  const data = images[0]!.data.map((_, i) => images.reduce((sum, x) => sum + x.data[i]!, 0) / images.length);
  return float32(images[0]!.shape, data);
}
