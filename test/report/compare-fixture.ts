import sharp from "sharp";
import {
  type BatchPictures,
  type Comparison,
  completePlan,
  expandPlan,
  type TrialRow,
  tableOf,
} from "../../src/audit/index.ts";

/** One-to-one PSNR of two images for each seed, by attack; the fixture's third attack fails. */
const SCORES: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  "fedleak-release": [
    [20, 22],
    [18, 16],
  ],
  "inverting-gradients": [
    [17, 21],
    [14, 16],
  ],
};

export const PLAN = completePlan({
  settings: [{ name: "sigmoid", about: "Untrained sigmoids, labels granted.", model: { name: "lenet-sigmoid" } }],
  attacks: [
    { name: "inverting-gradients" },
    { name: "fedleak-release" },
    { name: "fedleak", settings: { gamma: 0, tv: 0.1 } },
  ],
  seeds: 2,
  batches: [2],
  evaluations: 100,
  reference: "inverting-gradients",
});

/** A comparison with made-up scores: two attacks on two seeds, and one that failed, once on its way and once at the start. */
export function fakeComparison(): Comparison {
  const rows = expandPlan(PLAN).map(({ id, setting, batchSize, attack, seed }): TrialRow => {
    const trial = { id, setting, batchSize, attack, seed };
    const scores = SCORES[attack]?.[seed];
    if (scores) return { ...trial, status: "finished", result: resultOf(scores, 100) };
    return seed === 0
      ? { ...trial, status: "failed", failure: "got <NaN> in iteration 40", result: resultOf([9, 11], 40) }
      : { ...trial, status: "failed", failure: "no such thing" };
  });
  return {
    format: "fedleak-comparison",
    version: 1,
    status: "finished",
    startedAt: "2026-03-14T09:26:53.000Z",
    command: "fedleak compare --attacks 'a & b'",
    plan: PLAN,
    jobs: 1,
    rows,
    table: tableOf(PLAN, rows),
    assumptions: [
      {
        setting: "sigmoid",
        batchSize: 2,
        shared: {
          weights: "from a_b.safetensors, round not stated",
          budget: "at most 100 gradient evaluations a trial",
        },
        differing: [
          {
            assumption: "prior",
            groups: [
              { value: "none", rows: ["inverting-gradients"] },
              { value: "a <decoder>", rows: ["fedleak-release", "fedleak:gamma=0,tv=0.1 (seed 0)"] },
            ],
          },
        ],
      },
    ],
    versions: { fedleak: "0.1.0", node: "20.20.2", onnxruntime: "1.30.0", platform: "linux x64" },
  };
}

/** Pictures of plain colours for the first seed. */
export async function fakePictures(): Promise<BatchPictures[]> {
  const grey = (level: number) => dataUrl(level);
  const images = (levels: readonly number[]) => Promise.all(levels.map(grey));
  return [
    {
      setting: "sigmoid",
      batchSize: 2,
      seed: 0,
      originals: await images([40, 200]),
      attacks: [
        { attack: "fedleak-release", images: await images([60, 180]), psnrDb: [20, 22] },
        { attack: "inverting-gradients", images: await images([90, 150]), psnrDb: [17, 21] },
      ],
    },
  ];
}

function resultOf(scores: readonly [number, number], evaluations: number): NonNullable<TrialRow["result"]> {
  const mean = (scores[0] + scores[1]) / 2;
  return {
    psnrDb: { oneToOne: scores, manyToOne: scores.map((value) => value + 1) },
    ssim: { oneToOne: 0.5, manyToOne: 0.6 },
    floor: { name: "batch mean", psnrDb: 15 },
    labels: { granted: false, countAccuracy: 0.5 },
    evaluations,
    iterations: evaluations,
    seconds: evaluations / 10,
    curve: [0.5, 1].map((part) => ({
      evaluations: evaluations * part,
      seconds: (evaluations / 10) * part,
      psnrDb: mean - 4 * (1 - part),
    })),
  };
}

async function dataUrl(level: number): Promise<string> {
  const png = await sharp({
    create: { width: 32, height: 32, channels: 3, background: { r: level, g: level, b: level } },
  })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}
