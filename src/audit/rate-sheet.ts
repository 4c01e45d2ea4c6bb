import { fail, type Key, key, permutation, split } from "../util/index.ts";
import { canonicalJson, fingerprint } from "./fingerprint.ts";
import type { RunResults } from "./record-schema.ts";

/** One question to a rater: which of the candidates does this reconstruction show? */
export interface RateQuestion {
  /** Index of the reconstruction. */
  readonly reconstruction: number;
  /** True images in the order they are shown. */
  readonly candidates: readonly number[];
  /** Where among the candidates the true image stands; not on the page. */
  readonly answer: number;
}

/** All questions about a run in the order they are asked. */
export interface RateSheet {
  readonly seed: number;
  readonly questions: readonly RateQuestion[];
  /** Of the pairs, the seed and the number of candidates: votes name the sheet they are for. */
  readonly id: string;
}

/**
 * The questions of a run: one for each true image, about the reconstruction paired with it one-to-one.
 *
 * The candidates are the true image and others of the same batch, drawn from the seed as their order and that of the
 * questions are. The same run, seed and number of candidates give the same sheet. Pairing has looked at the private images:
 * of reconstructions that know nothing it finds the likeliest owner, so people score more than 1/k even for those.
 * candidates: k from 2 to the number of images.
 * Throws FedleakError when the batch is smaller than k.
 */
export async function rateSheet(
  pairs: RunResults["pairs"]["oneToOne"],
  { seed, candidates }: { readonly seed: number; readonly candidates: number },
): Promise<RateSheet> {
  if (candidates < 2 || candidates > pairs.length) {
    fail({
      who: "rate",
      must: `candidates must be from 2 to the number of private images (${pairs.length})`,
      got: `${candidates}`,
      remedy:
        pairs.length < 2 ? "Rate a run with a larger batch: one image can be told from no other." : "Ask for fewer.",
    });
  }
  const k = split(key(seed), "rate");
  const order = permutation(split(k, "order"), pairs.length);
  const questions = order.map((i) => questionAbout(pairs, i, { candidates, key: split(k, i) }));
  return { seed, questions, id: await fingerprint(canonicalJson({ seed, candidates, questions })) };
}

function questionAbout(
  pairs: RunResults["pairs"]["oneToOne"],
  i: number,
  { candidates, key: k }: { readonly candidates: number; readonly key: Key },
): RateQuestion {
  const others = pairs.map((pair) => pair.trueIndex).filter((index) => index !== i);
  const drawn = permutation(split(k, "others"), others.length).slice(0, candidates - 1);
  const all = [i, ...drawn.map((at) => others[at]!)];
  const shown = permutation(split(k, "places"), candidates).map((at) => all[at]!);
  return { reconstruction: pairs[i]!.reconstructionIndex, candidates: shown, answer: shown.indexOf(i) };
}
