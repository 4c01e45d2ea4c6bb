import {
  CLOSED_FORMS,
  type ClosedForm,
  completeSettings,
  findAttack,
  prepareAttack,
  whyNot,
} from "../../attacks/index.ts";
import type { Observation } from "../../fl/index.ts";
import type { Model } from "../../nn/index.ts";
import type { Device } from "../../runtime/index.ts";
import { FedleakError, key } from "../../util/index.ts";

/** What a closed form comes to on a captured update. */
export interface ClosedFormResult {
  readonly method: ClosedForm;
  /** solved: all images found, and their gradient is the update; applies: tried, and not all found; not: see `about`. */
  readonly outcome: "solved" | "applies" | "not";
  /** cos of the found images' gradient to the update; null: not tried. */
  readonly cosine: number | null;
  readonly about: string;
}

/**
 * Each closed form on an observation: why it does not apply, or what it finds and how well that explains the update.
 *
 * No truth is needed: images whose gradient has a cosine of 0.99 or more to the update are those that made it.
 */
export async function tryClosedForms(
  network: Model,
  observation: Observation,
  where: { readonly device: Device; readonly threads: number },
): Promise<ClosedFormResult[]> {
  const results: ClosedFormResult[] = [];
  for (const method of CLOSED_FORMS) {
    const reason = whyNot(method, network, observation) ?? tooLarge(method, network);
    if (reason !== undefined) results.push({ method, outcome: "not", cosine: null, about: reason });
    else results.push(await tried(method, network, observation, where));
  }
  return results;
}

const EXPLAINS = 0.99; // as fedleak attack auto takes it; our choice, noise gives about 0
const LARGEST = 4096; // numbers of an image that r-gap is solved for in seconds; our choice

function tooLarge(method: ClosedForm, { inputShape: [c, h, w] }: Model): string | undefined {
  const size = c * h * w;
  if (method !== "r-gap" || size <= LARGEST) return undefined;
  return `its ${size} unknowns take longer than a check should: fedleak audit --attack ${method} solves for them`;
}

async function tried(
  method: ClosedForm,
  network: Model,
  observation: Observation,
  { device, threads }: { readonly device: Device; readonly threads: number },
): Promise<ClosedFormResult> {
  const preset = findAttack(method);
  const settings = completeSettings(preset);
  try {
    const attack = await prepareAttack({
      ...{ model: network, observation, attack: preset, settings },
      ...{ key: key(0), device, threads }, // a closed form draws nothing
    });
    try {
      const { state, cosine } = await attack.step(attack.initial);
      const { complete, about } = attack.solution!(state);
      return { method, outcome: complete && cosine >= EXPLAINS ? "solved" : "applies", cosine, about };
    } finally {
      await attack.release();
    }
  } catch (error) {
    if (!(error instanceof FedleakError)) throw error;
    return { method, outcome: "not", cosine: null, about: error.message };
  }
}
