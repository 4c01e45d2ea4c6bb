import { z } from "zod";
import type { Floor as MeasuredFloor, PairScore, ReconstructionScore, RowScore } from "../metrics/index.ts";

const kebab = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be kebab-case");
const index = z.int().nonnegative();
const decibels = z.number().min(0).max(100); // MSE in [0,1] floored at 1e-10
const error = z.number().min(0).max(1); // MSE of images in [0,1]
const similarity = z.number().min(-1.000001).max(1.000001).nullable(); // SSIM with room for rounding; null: images under 11 × 11
const distance = z.number().nonnegative();
const share = z.number().min(0).max(1);
const range = z.tuple([z.number(), z.number()]).readonly().nullable();
const perPairing = <T extends z.ZodType>(value: T) => z.strictObject({ oneToOne: value, manyToOne: value });

/** One true image with its reconstruction. */
const pair = z.strictObject({
  trueIndex: index,
  reconstructionIndex: index,
  mse: error,
  psnrDb: decibels,
  ssim: similarity,
  msSsim: similarity,
}) satisfies z.ZodType<PairScore>;

/** What an image that shows nothing private scores; one-to-one for `mismatchedGradient`. */
const floor = z.strictObject({
  psnrDb: decibels,
  ssim: similarity,
  msSsim: similarity,
  /** In the order of the true batch. */
  perImagePsnrDb: z.array(decibels).readonly().optional(),
}) satisfies z.ZodType<Omit<MeasuredFloor, "perImagePsnrDb">>;

const floors = z.strictObject({
  /** Every pixel 0.5. */
  flatGrey: floor,
  /** Per channel the mean of the true batch. */
  flatMean: floor,
  /** Per pixel the mean of the true batch; absent for a batch of one. */
  batchMean: floor.optional(),
  /** The same attack on the update of another batch. */
  mismatchedGradient: floor.optional(),
});

const labels = z.strictObject({
  /** In the order of the true batch. */
  trueLabels: z.array(index).readonly(),
  /** In the order of the reconstructions. */
  inferredLabels: z.array(index).readonly(),
  /** Whether the threat model gave the attack the true labels. */
  granted: z.boolean(),
  /** Σ_c min(true_c, inferred_c) / max(B, B′). */
  countAccuracy: z.number().min(0).max(1),
  exact: z.boolean(),
  /** Name of class i at index i. */
  classNames: z.array(z.string()).readonly().optional(),
});

/** A distance in the activations of a network, less is closer; read it beside its floors. */
const networkDistance = z.strictObject({
  mean: perPairing(distance),
  /** In the order of the true batch. */
  perImage: perPairing(z.array(distance).min(1).readonly()),
  /** Means of what the floors' images score. */
  floors: z.strictObject({
    flatGrey: distance,
    flatMean: distance,
    batchMean: distance.optional(),
    mismatchedGradient: distance.optional(),
  }),
});

/** How far the pairs stand above the floors: see `leakage`. */
const leakage = z.strictObject({
  /** Mean PSNR less the highest floor's. */
  aboveFloorDb: z.number(),
  /** Share of the best floor's squared error that is gone, per image, then averaged. */
  share,
});

/** The attack success rate: how many true images are nearer to their reconstruction than other images of the data are. */
const identification = z.strictObject({
  /** D, other images that each true image stands among. */
  distractors: z.int().positive(),
  /** 1/(D + 1): what guessing scores. */
  chance: share,
  /** By each measure that could be taken, the headline first. */
  by: z
    .array(
      z.strictObject({
        measure: kebab,
        share: perPairing(share),
        /** Wilson's interval of the share. */
        interval95: perPairing(z.tuple([share, share]).readonly()),
        /** In the order of the true batch. */
        identified: perPairing(z.array(z.boolean()).min(1).readonly()),
      }),
    )
    .min(1)
    .readonly(),
});

const guesses = z.strictObject({ marginal: share, drawn: share });
const cells = z.array(z.string()).min(1);

/** Of a table: the share of cells that match (`scoreRows`), and the rows in words. */
const table = z.strictObject({
  tolerance: share,
  matchRate: share,
  interval95: z.tuple([share, share]).readonly().nullable(),
  floors: guesses,
  beyondGuessing: z.boolean(),
  wholeRows: share,
  columns: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        kind: z.enum(["numeric", "categorical"]),
        matchRate: share,
        interval95: z.tuple([share, share]).readonly(),
        floors: guesses,
      }),
    )
    .min(1)
    .readonly(),
  hits: z.array(z.array(z.boolean()).readonly()).readonly(),
  /** Whose values the floors' guesses know, in words. */
  floorsFrom: z.string().min(1),
  /** One row a true row, in the order of the true batch: its cells and those of its reconstruction. */
  rows: z.array(z.strictObject({ trueIndex: index, reconstructionIndex: index, truth: cells, rebuilt: cells })).min(1),
}) satisfies z.ZodType<RowScore>;

/** A reconstruction's score under both pairings (`scoreReconstruction`), its floors, its labels and its cost: one run's. */
export const runResults = z.strictObject({
  seconds: z.number().nonnegative(),
  iterations: index,
  /** Gradient evaluations of the audited model, second-order ones counted once. */
  evaluations: index,
  psnrDb: perPairing(decibels),
  /** Bootstrap over the images; null for one image. */
  psnrInterval95Db: perPairing(range),
  ssim: perPairing(similarity),
  msSsim: perPairing(similarity),
  mse: perPairing(error),
  /** One row per true image, in the order of the true batch. */
  pairs: perPairing(z.array(pair).min(1).readonly()),
  floors,
  leakage: perPairing(leakage),
  /** null without weights, or where the images are too small for them. */
  lpips: networkDistance.nullable(),
  /** In the features of the audited model, relative to those of the private image. */
  featureDistance: networkDistance.nullable(),
  /** null where the data has too few other images. */
  identification: identification.nullable(),
  /** Why a number is null, by what was not measured. */
  notMeasured: z.record(kebab, z.string().min(1)),
  labels,
  /** Absent for images. */
  table: table.optional(),
}) satisfies z.ZodType<ReconstructionScore>;

export type RunResults = z.infer<typeof runResults>;
