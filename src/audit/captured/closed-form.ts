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
import { isProven, type Proof, solveForm } from "../proof.ts";

/** What a closed form comes to on a captured update. */
export interface ClosedFormResult {
  readonly method: ClosedForm;
  /** solved: all images found, and proven to be those of the update (`isProven`); applies: tried, and not all found; not: see `about`. */
  readonly outcome: "solved" | "applies" | "not";
  /** cos of the found images' gradient to the update; null: not tried. */
  readonly cosine: number | null;
  /** What they rest on; null: not tried. */
  readonly proof: Proof | null;
  readonly about: string;
}

/**
 * Each closed form on an observation: why it does not apply, or what it finds and how well that explains the update.
 *
 * No truth is needed: where the closed form's equations hold and the images' gradient is the update in every tensor, these made it.
 */
export async function tryClosedForms(
  network: Model,
  observation: Observation,
  where: { readonly device: Device; readonly threads: number },
): Promise<ClosedFormResult[]> {
  const results: ClosedFormResult[] = [];
  for (const method of CLOSED_FORMS) {
    const reason = whyNot(method, network, observation) ?? tooLarge(method, network);
    if (reason !== undefined) results.push({ method, outcome: "not", cosine: null, proof: null, about: reason });
    else results.push(await tried(method, network, observation, where));
  }
  return results;
}

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
      const solved = await solveForm(attack, { model: network, observation, device, threads });
      const { cosine, about, complete, relativeResidual, leastCosine } = solved;
      const proof = { complete, relativeResidual, leastCosine };
      return { method, outcome: isProven(proof) ? "solved" : "applies", cosine, proof, about };
    } finally {
      await attack.release();
    }
  } catch (error) {
    if (!(error instanceof FedleakError)) throw error;
    return { method, outcome: "not", cosine: null, proof: null, about: error.message };
  }
}
