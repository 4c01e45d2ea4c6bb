import type { Shape } from "../../tensor/index.ts";
import { key } from "../../util/index.ts";
import { scheduleOf } from "../optimiser.ts";
import { pixels } from "../parameterisation/pixels.ts";
import type { AttackSettings } from "../settings.ts";
import { averaged } from "./averaged.ts";
import { candidates } from "./candidates.ts";
import { cmaEs } from "./cma-es.ts";
import { firstOrder } from "./first-order.ts";
import { lBfgs } from "./l-bfgs.ts";
import { type Polish, polished } from "./polished.ts";
import { LABELS } from "./step-graph.ts";
import type { Search } from "./types.ts";
import type { Candidate } from "./view.ts";

export type { Search, SearchPoint } from "./types.ts";

/** The search that the settings describe, for images of `shape`: one of the optimisers, polished, averaged, several at once. */
export async function searchFor(candidate: Candidate, shape: Shape): Promise<Search> {
  const { settings } = candidate;
  const { iterations } = settings;
  const first = Math.max(1, Math.round(iterations * (1 - settings.polish)));
  const found = await main(candidate, first);
  const bright =
    first < iterations ? polished(found, await polish(candidate, shape, iterations - first), first) : found;
  const from = Math.floor(iterations * settings.averageFrom);
  const calm = from < iterations ? averaged(bright, Math.max(1, from)) : bright;
  return settings.restarts > 1 ? candidates(calm, settings) : calm;
}

function main(candidate: Candidate, iterations: number): Promise<Search> {
  const { settings } = candidate;
  if (settings.optimiser === "l-bfgs") return lBfgs(candidate);
  if (settings.optimiser === "cma-es") return cmaEs(candidate);
  return firstOrder(candidate, { learningRate: settings.learningRate, schedule: scheduleOf(settings, iterations) });
}

/** The same objective by the pixels, clamped, by plain Adam steps that fall along a cosine (our choice). */
async function polish(candidate: Candidate, shape: Shape, iterations: number) {
  const settings: AttackSettings = {
    ...candidate.settings,
    optimiser: "adam",
    signed: false,
    gamma: 0,
    schedule: "cosine",
    warmUp: 0,
    langevin: 0,
    weightDecay: 0,
    clamp: true,
    learningRate: candidate.settings.polishLearningRate,
  };
  const parameterisation = pixels(shape, settings);
  const search = await firstOrder(
    { ...candidate, parameterisation, settings },
    { learningRate: settings.learningRate, schedule: scheduleOf(settings, iterations) },
  );
  const [start, x] = [search.initial(key(0)), parameterisation.imagesIn!]; // the draw is replaced by the images
  const polishing: Polish = {
    ...search,
    from: (images, labelLogits) => ({ ...start, [x]: images, ...(labelLogits && { [LABELS]: labelLogits }) }),
  };
  return polishing;
}
