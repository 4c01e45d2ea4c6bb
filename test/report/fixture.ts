import sharp from "sharp";
import { checkRecord, type RunRecord, type RunResults } from "../../src/audit/index.ts";
import {
  floors,
  type Images,
  identification,
  leakage,
  scoreLabels,
  scoreReconstruction,
  shareInterval95,
  ssim,
  take,
} from "../../src/metrics/index.ts";
import type { Pictures } from "../../src/report/index.ts";
import { row, stack } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { imitation, scenes } from "./scenes.ts";

const CLASS_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const ORDER = [4, 2, 0, 6, 1, 7, 5, 3]; // reconstruction j shows true image ORDER[j]
const WEAKNESS = [0.08, 0.3, 0.15, 0.5, 0.22, 0.9, 0.12, 0.35]; // per true image
const TRUE_LABELS = [8, 0, 3, 5, 3, 9, 4, 1];

export interface FakeRun {
  readonly record: RunRecord;
  readonly pictures: Pictures;
}

/** A finished run on eight made-up images: invented curve and settings, but scores, floors and labels are truly measured. */
export async function fakeRun(weaken = 1): Promise<FakeRun> {
  const truth = scenes(8, 11);
  const images = imitation(
    truth,
    WEAKNESS.map((w) => Math.min(2, w * weaken)),
    5,
  );
  const reconstruction = stack(ORDER.map((i) => row(images, i)));
  const mismatched = scoreReconstruction(truth, imitation(scenes(8, 99), WEAKNESS, 6));
  const score = scoreReconstruction(truth, reconstruction);
  const measuredFloors = {
    ...floors(truth),
    mismatchedGradient: {
      psnrDb: mismatched.psnrDb.oneToOne,
      ssim: mismatched.ssim.oneToOne,
      msSsim: mismatched.msSsim.oneToOne,
      perImagePsnrDb: mismatched.pairs.oneToOne.map((pair) => pair.psnrDb),
    },
  };
  const leaked = (pairs: RunResults["pairs"]["oneToOne"]) => leakage(pairs, Object.values(measuredFloors));
  const inferredLabels = ORDER.map((i) => (i === 5 ? 1 : TRUE_LABELS[i]!));
  const results: RunResults = {
    seconds: 754.2,
    iterations: 3000,
    evaluations: 6000,
    ...score,
    floors: measuredFloors,
    leakage: { oneToOne: leaked(score.pairs.oneToOne), manyToOne: leaked(score.pairs.manyToOne) },
    lpips: null,
    featureDistance: inventedDistance(score.pairs),
    identification: identifiedAmong(scenes(9, 77), truth, reconstruction, score.pairs),
    notMeasured: { lpips: "no weights were given" },
    labels: {
      trueLabels: TRUE_LABELS,
      inferredLabels,
      granted: false,
      ...scoreLabels(TRUE_LABELS, inferredLabels),
      classNames: CLASS_NAMES,
    },
  };
  return {
    record: checkRecord({ ...BASE, results, curve: curve() }, "fixture"),
    pictures: { originals: await dataUrls(truth), reconstructions: await dataUrls(reconstruction) },
  };
}

/** A distance that follows the error, and floors above it. */
function inventedDistance({ oneToOne, manyToOne }: RunResults["pairs"]): NonNullable<RunResults["lpips"]> {
  const perImage = {
    oneToOne: oneToOne.map((pair) => Math.sqrt(pair.mse)),
    manyToOne: manyToOne.map((pair) => Math.sqrt(pair.mse)),
  };
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  return {
    mean: { oneToOne: mean(perImage.oneToOne), manyToOne: mean(perImage.manyToOne) },
    perImage,
    floors: { flatGrey: 0.41, flatMean: 0.38, batchMean: 0.36, mismatchedGradient: 0.4 },
  };
}

/** The success rate by SSIM, the same nine other scenes for each image. */
function identifiedAmong(
  others: Images,
  truth: Images,
  reconstruction: Images,
  pairs: RunResults["pairs"],
): RunResults["identification"] {
  const distances = (rows: RunResults["pairs"]["oneToOne"]) =>
    rows.map(({ trueIndex, reconstructionIndex }) => {
      const candidates = stack([row(truth, trueIndex), ...Array.from({ length: 9 }, (_, d) => row(others, d))]);
      return ssim(take(reconstruction, new Array(10).fill(reconstructionIndex)), candidates).map((v) => 1 - v);
    });
  const [own, best] = [identification(distances(pairs.oneToOne)), identification(distances(pairs.manyToOne))];
  return {
    distractors: 9,
    chance: own.chance,
    by: [
      {
        measure: "ssim",
        share: { oneToOne: own.share, manyToOne: best.share },
        interval95: {
          oneToOne: shareInterval95(own.share, 8),
          manyToOne: shareInterval95(best.share, 8),
        },
        identified: { oneToOne: own.identified, manyToOne: best.identified },
      },
    ],
  };
}

/** The same run, stopped in the middle: a curve, no results. */
export async function interruptedRun(): Promise<FakeRun> {
  const { record, pictures } = await fakeRun();
  const { results: _, ...rest } = record;
  return { record: { ...rest, status: "interrupted", curve: record.curve.slice(0, 40) }, pictures };
}

async function dataUrls(images: Images): Promise<string[]> {
  const [count, channels, height, width] = images.shape as readonly [number, number, number, number];
  const area = height * width;
  return Promise.all(
    Array.from({ length: count }, async (_, m) => {
      const { data } = row(images, m);
      const bytes = Uint8Array.from({ length: 3 * area }, (_, i) =>
        Math.round(255 * data[((i % 3) % channels) * area + Math.floor(i / 3)]!),
      );
      const png = await sharp(bytes, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer();
      return `data:image/png;base64,${png.toString("base64")}`;
    }),
  );
}

function curve(): RunRecord["curve"] {
  const draws = normal(key(3), 301);
  return Array.from({ length: 301 }, (_, i) => ({
    iteration: i * 10,
    evaluations: i * 20,
    seconds: i * 2.514,
    loss: (0.9 * Math.exp(-i / 40) + 0.06 * Math.exp(-i / 160) + 0.004) * (1 + 0.05 * draws[i]!),
    cosine: 1 - (0.8 * Math.exp(-i / 35) + 0.02 * Math.exp(-i / 120) + 0.0015) * (1 + 0.04 * draws[300 - i]!),
    ...(i % 10 === 0 ? { peekPsnrDb: 9 + 11 * (1 - Math.exp(-i / 90)) + 0.1 * draws[i]! } : {}),
  }));
}

const BASE: Omit<RunRecord, "results" | "curve"> = {
  format: "fedleak-record",
  version: 2,
  status: "finished",
  startedAt: "2026-03-14T09:26:53Z",
  command:
    "npx fedleak attack fedleak --model resnet10 --activation relu --weights trained --data cifar10 --batch-size 8 --iterations 3000 --seed 7 --out 'runs/resnet10 b8'",
  spec: {
    attack: {
      name: "fedleak",
      settings: {
        iterations: 3000,
        learningRate: 0.01,
        mask: { share: 0.5, scope: "global" },
        lookahead: { direction: "descent", blend: 0.5, epsilon: 0.001 },
        distance: "l1-cosine",
        totalVariation: 0.00001,
        activationPrior: 0.0001,
        labels: "optimised",
        clamp: true,
      },
    },
    model: { name: "resnet10", classes: 10, channels: 3, activation: "relu", weights: "trained", round: 2000 },
    data: { name: "cifar10", split: "train", size: 32, indices: [12, 77, 130, 204, 391, 417, 555, 801] },
    client: { batchSize: 8, localSteps: 1, learningRate: 0.1, batchNorm: "train" },
    defences: [],
    device: "cpu",
    threads: 2,
    seed: 7,
  },
  ledger: [
    { assumption: "labels", value: "inferred from the last layer's gradient, then optimised", origin: "paper" },
    { assumption: "bn-mode", value: "train, on both sides", origin: "our-choice", note: "The paper does not say." },
    { assumption: "buffers", value: "not sent: the server never sees running statistics", origin: "our-choice" },
    { assumption: "weights", value: "trained, round 2000", origin: "user" },
    { assumption: "activation", value: "relu", origin: "paper" },
    { assumption: "batch-size", value: "known to the server (8)", origin: "paper" },
    { assumption: "local-steps", value: "1", origin: "paper" },
    {
      assumption: "scoring",
      value: "one-to-one is the headline, many-to-one beside it",
      origin: "our-choice",
      note: "The paper scores many-to-one.",
    },
    {
      assumption: "stopping-rule",
      value: "after 3000 iterations, last iterate",
      origin: "user",
      note: "The paper runs 10000.",
    },
    { assumption: "step-size", value: "0.01, constant", origin: "our-choice", note: "No source says." },
    { assumption: "total-variation", value: "1e-5", origin: "release" },
    { assumption: "parameters", value: "4,903,242", origin: "measured" },
    {
      assumption: "psnr",
      value: "10 log10(1 / max(MSE, 1e-10)), mean over images",
      origin: "source",
      note: "Huynh-Thu and Ghanbari 2008",
    },
    { assumption: "seed", value: "7", origin: "user" },
    { assumption: "versions", value: "fedleak 0.1.0, node 20.20.2, onnxruntime 1.30.0", origin: "measured" },
  ],
  versions: { fedleak: "0.1.0", node: "20.20.2", onnxruntime: "1.30.0", platform: "linux x64" },
  seeds: { run: 7, batch: 101, start: 202 },
};
