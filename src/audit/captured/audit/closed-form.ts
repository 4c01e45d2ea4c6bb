import { hardRows, prepareAttack } from "../../../attacks/index.ts";
import { float32, type Tensor } from "../../../tensor/index.ts";
import { key } from "../../../util/index.ts";
import { type Proof, solveForm } from "../../proof.ts";
import { observationOf } from "../observation.ts";
import type { CapturedTable } from "../table.ts";
import type { AttackChoice, Subject } from "./subject.ts";

/** What a closed form gave. */
export interface Solved {
  /** [B,C,H,W] in [0,1] */
  readonly images: Tensor<"float32">;
  readonly labels: readonly number[];
  /** What the images rest on. */
  readonly proof: Proof;
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
    const found = (await attack.probe(state)).images;
    const { manifest, table } = subject.captured;
    return {
      images: table ? rowsOf(found, table) : plain(found, manifest.normalisation),
      labels: attack.inferredLabels(state),
      proof: { complete, relativeResidual, leastCosine },
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

/** What a network was fed as rows in [0,1] with their categories decided. */
function rowsOf({ shape, data }: Tensor<"float32">, { columns, mean, std }: CapturedTable): Tensor<"float32"> {
  const width = mean.length;
  const rows = data.map((value, i) => Math.min(1, Math.max(0, value * std[i % width]! + mean[i % width]!)));
  return hardRows(float32(shape, rows), columns);
}

/** x·std + mean, into [0,1]. */
function plain(
  { shape, data }: Tensor<"float32">,
  normalisation: Subject["captured"]["manifest"]["normalisation"],
): Tensor<"float32"> {
  const [, channels, height, width] = shape as [number, number, number, number];
  const { mean, std } = normalisation ?? { mean: Array(channels).fill(0), std: Array(channels).fill(1) };
  return float32(
    shape,
    data.map((value, i) => {
      const channel = Math.floor(i / (height * width)) % channels;
      return Math.min(1, Math.max(0, value * std[channel]! + mean[channel]!));
    }),
  );
}
