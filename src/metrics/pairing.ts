import { linearSumAssignment } from "linear-sum-assignment";
import { shapeText } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { checkImages, type Images } from "./images.ts";
import { squaredError } from "./mse.ts";

/**
 * Gives every true image a reconstruction of its own so that the summed MSE is least; the headline pairing.
 *
 * argmin over injective π: {0…B−1} → {0…R−1} of Σ_i mse(truth_i, reconstruction_π(i)).
 * truth: [B,C,H,W], reconstruction: [R,C,H,W], both in [0,1], R ≥ B → B distinct indices into the reconstructions.
 * With R > B the R − B worst-fitting reconstructions stay unused, which favours the attack: say so in the ledger.
 * Throws FedleakError when R < B, the image shapes differ or a pixel is not a number in [0,1].
 * Source: Crouse, "On implementing 2D rectangular assignment algorithms", IEEE TAES 52(4), 2016 (npm linear-sum-assignment).
 */
export function pairOneToOne(truth: Images, reconstruction: Images): number[] {
  checkBatches("pair-one-to-one", truth, reconstruction);
  const [wanted, offered] = [truth.shape[0]!, reconstruction.shape[0]!];
  if (offered < wanted) {
    fail({
      who: "pair-one-to-one",
      must: `every true image must have a reconstruction of its own (${wanted})`,
      got: `${offered} reconstructions`,
      remedy: "Reconstruct the whole batch, or pair many-to-one.",
    });
  }
  return assigned(errors(truth, reconstruction));
}

/**
 * Gives every true image its closest reconstruction by MSE, reuse allowed; among equals the lowest index.
 *
 * π(i) = argmin_j mse(truth_i, reconstruction_j).
 * truth: [B,C,H,W], reconstruction: [R,C,H,W], both in [0,1], any R ≥ 1 → B indices into the reconstructions.
 * Throws FedleakError when the image shapes differ or a pixel is not a number in [0,1].
 * Source: the FedLeak paper's scoring rule (per true image the most similar reconstruction).
 */
export function pairManyToOne(truth: Images, reconstruction: Images): number[] {
  checkBatches("pair-many-to-one", truth, reconstruction);
  return errors(truth, reconstruction).map(closest);
}

/**
 * Which reconstruction each of D other images would be given if it stood in the true batch in place of image `index`.
 *
 * The batch with that one image replaced is paired anew, by the same two rules. So an image that was never in the batch gets
 * its reconstruction as the true one did, which looked at all of them: without that, a true image would seem to be
 * recognised merely because its reconstruction was chosen to be like it.
 * truth: [B,C,H,W], reconstruction: [R,C,H,W], others: [D,C,H,W], all in [0,1], R ≥ B → D indices into the reconstructions
 * under each pairing. `errorsOfTruth` is `errors(truth, reconstruction)`, computed once by who asks about every image.
 * Throws FedleakError as `pairOneToOne` does.
 */
export function pairInPlaceOf(
  index: number,
  errorsOfTruth: readonly (readonly number[])[],
  others: Images,
  reconstruction: Images,
): { readonly oneToOne: number[]; readonly manyToOne: number[] } {
  checkBatches("pair-in-place-of", others, reconstruction);
  const rows = errors(others, reconstruction); // [D,R]
  return {
    oneToOne: rows.map((row) => assigned(errorsOfTruth.map((own, i) => (i === index ? row : own)))[index]!),
    manyToOne: rows.map(closest),
  };
}

/** The assignment of rows to distinct columns with the least sum. */
function assigned(costs: readonly (readonly number[])[]): number[] {
  const { rowAssignments } = linearSumAssignment(costs as number[][], { maximaze: false }); // the library's spelling
  return Array.from(rowAssignments);
}

function closest(row: readonly number[]): number {
  return row.indexOf(Math.min(...row));
}

/** MSE of every true image to every reconstruction: B rows of R numbers. */
export function errors(truth: Images, reconstruction: Images): number[][] {
  return Array.from({ length: truth.shape[0]! }, (_, i) =>
    Array.from({ length: reconstruction.shape[0]! }, (_, j) => squaredError(truth, i, reconstruction, j)),
  );
}

function checkBatches(who: string, truth: Images, reconstruction: Images): void {
  checkImages(`${who} (truth)`, truth);
  checkImages(`${who} (reconstruction)`, reconstruction);
  const [expected, got] = [shapeText(truth.shape.slice(1)), shapeText(reconstruction.shape.slice(1))];
  if (expected !== got) {
    fail({
      who,
      must: `reconstructions must have the true images' shape ${expected}`,
      got,
      remedy: "Resize before pairing.",
    });
  }
}
