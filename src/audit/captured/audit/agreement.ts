import { floors, type Images, pairManyToOne, pairOneToOne, psnrDb, take } from "../../../metrics/index.ts";

/** How far several searches found the same image. */
export interface ImageAgreement {
  /** PSNR between two searches' pictures of it, mean over the pairs of searches. */
  readonly meanDb: number;
  /** What pictures that show nothing score against it: flat grey, the batch's mean colour and mean picture, the control's closest. */
  readonly floorDb: number;
  /** Whether it lies AGREES_DB or more above its floor. */
  readonly agrees: boolean;
}

export const AGREES_DB = 3; // half the squared error, as the reports' "in part"; our choice

/**
 * Whether searches that began apart have found the same images: a confidence that needs no truth.
 *
 * The first of `found` is the best one; the images of the others are paired with its, one-to-one (Hungarian, least summed MSE), and all
 * pairs of searches are compared image by image. Without a floor blank pictures would agree best: so each image has its
 * own. found: at least two, each [B,C,H,W] in [0,1]; control: what the same search made of the control's update → B entries.
 * Were the searches' errors independent, the truth would be 3 dB nearer than they are to each other; errors that
 * they share, as by a prior, do not show. Source: none; our choice.
 */
export function agreementOf(found: readonly Images[], control: Images | undefined): ImageAgreement[] {
  const best = found[0]!;
  const aligned = [best, ...found.slice(1).map((images) => take(images, pairOneToOne(best, images)))];
  const pairs = aligned.flatMap((a, i) => aligned.slice(i + 1).map((b) => psnrDb(a, b))); // [pairs][B]
  const { flatGrey, flatMean, batchMean } = floors(best);
  const blank = [flatGrey, flatMean, ...(batchMean ? [batchMean] : [])].map(({ perImagePsnrDb }) => perImagePsnrDb);
  const mismatched = control ? [psnrDb(best, take(control, pairManyToOne(best, control)))] : [];
  return Array.from({ length: best.shape[0]! }, (_, i) => {
    const meanDb = pairs.reduce((sum, pair) => sum + pair[i]!, 0) / pairs.length;
    const floorDb = Math.max(...[...blank, ...mismatched].map((floor) => floor[i]!));
    return { meanDb, floorDb, agrees: meanDb - floorDb >= AGREES_DB };
  });
}
