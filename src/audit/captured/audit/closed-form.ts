import { hardRows, prepareAttack } from "../../../attacks/index.ts";
import { clamped, float32, type Tensor } from "../../../tensor/index.ts";
import { key } from "../../../util/index.ts";
import { isProven, type Proof, solveForm } from "../../proof.ts";
import { cellsOf } from "../../table-results.ts";
import { observationOf } from "../observation.ts";
import type { CapturedTable } from "../table.ts";
import { imageMisfits, rowMisfits } from "./misfits.ts";
import type { AttackChoice, Subject } from "./subject.ts";

/** What a closed form gave. */
export interface Solved {
  /** [B,C,H,W] in [0,1]; what leaves it was clamped, and categories were decided. */
  readonly images: Tensor<"float32">;
  /** The same as it was solved for: what the network itself was fed with. */
  readonly fed: Tensor<"float32">;
  readonly labels: readonly number[];
  /** What the images rest on. */
  readonly proof: Proof;
  /** Where proven images are not what the manifest states, one clause each; `images` then are not they. */
  readonly misfits: readonly string[];
  /** Of a table with misfits: its cells, numbers as they were solved for. */
  readonly cells: readonly (readonly string[])[] | undefined;
}

/**
 * Solves for the images with a closed form, on the network itself, and takes the manifest's normalisation off again.
 *
 * Throws FedleakError, with the reason, where it does not apply.
 */
export async function solveFor(subject: Subject, choice: AttackChoice): Promise<Solved> {
  const { attack, where } = await prepareClosedForm(subject, choice);
  try {
    const { state, complete, relativeResidual, leastCosine } = await solveForm(attack, where);
    const fed = (await attack.probe(state)).images;
    const { manifest, table } = subject.captured;
    const own = table ? inRanges(fed, table) : unscaled(fed, manifest.normalisation);
    const proof = { complete, relativeResidual, leastCosine };
    const told = table ? rowMisfits(own, table.columns, relativeResidual) : imageMisfits(own, relativeResidual);
    const misfits = isProven(proof) ? told : []; // mixtures of images fit nothing anyway
    return {
      ...{ fed, labels: attack.inferredLabels(state), proof, misfits },
      images: clamped(table ? hardRows(own, table.columns) : own),
      cells: table && misfits.length > 0 ? cellsOf(own, table.columns) : undefined,
    };
  } finally {
    await attack.release();
  }
}

/** A closed form on the network itself, ready to be run. Throws FedleakError, with the reason, where it does not apply. */
export async function prepareClosedForm(subject: Subject, { preset, settings }: AttackChoice) {
  const { captured, device, spec, images } = subject;
  const { labels } = subject.observation;
  const where = {
    ...{ model: captured.network, device, threads: spec.threads },
    observation: observationOf({ ...captured, model: captured.network }, images, { labels }),
  };
  const attack = await prepareAttack({
    ...{ ...where, attack: preset, settings },
    key: key(spec.seed), // a closed form draws nothing
  });
  return { attack, where };
}

/** What a network was fed as rows in units of the columns' ranges. */
function inRanges({ shape, data }: Tensor<"float32">, { mean, std }: CapturedTable): Tensor<"float32"> {
  const width = mean.length;
  return float32(
    shape,
    data.map((value, i) => value * std[i % width]! + mean[i % width]!),
  );
}

/** x·std + mean */
function unscaled(
  { shape, data }: Tensor<"float32">,
  normalisation: Subject["captured"]["manifest"]["normalisation"],
): Tensor<"float32"> {
  const [, channels, height, width] = shape as [number, number, number, number];
  const { mean, std } = normalisation ?? { mean: Array(channels).fill(0), std: Array(channels).fill(1) };
  return float32(
    shape,
    data.map((value, i) => {
      const channel = Math.floor(i / (height * width)) % channels;
      return value * std[channel]! + mean[channel]!;
    }),
  );
}
