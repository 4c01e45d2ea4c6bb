import { join } from "node:path";
import { FILES, type RunOutcome, type RunRecord, type RunResults } from "../audit/index.ts";
import { floorList, verdict } from "../report/index.ts";
import { rateText } from "./progress-text.ts";
import { columnRows } from "./table-summary.ts";
import { type Row, table, wrapped } from "./text-layout.ts";

/** What a run came to, for a person at a terminal: verdict, scores beside their floors, assumptions, where the report lies. */
export function summaryText({ record, folder }: RunOutcome, width = WIDTH): string {
  const { headline } = verdict(record);
  const { results } = record;
  return [
    "",
    `${titleOf(record)}`,
    "",
    ...(record.failure === undefined ? [] : [...wrapped(`Failed: ${record.failure}`, width), ""]),
    ...wrapped(headline, width),
    ...(results ? ["", ...table(scored(results, floorAsked(record))), "", ...table(factRows(results))] : []),
    "",
    ...wrapped(`Assumes ${assumptions(record)}.`, width),
    "",
    ...table([
      ["report", join(folder, FILES.report)],
      ["record", join(folder, FILES.record)],
    ]),
  ].join("\n");
}

/** What a run came to, for a program: one JSON object, the means without the rows they are means of. */
export function summaryJson({ record, folder }: RunOutcome): Record<string, unknown> {
  const { status, failure, spec, results, seeds, ledger } = record;
  const about = {
    status,
    ...(failure !== undefined && { failure }),
    attack: spec.attack.name,
    model: spec.model.name,
    seed: seeds.run,
    out: folder,
    report: join(folder, FILES.report),
    assumptions: Object.fromEntries(ledger.map(({ assumption, value }) => [assumption, value])),
  };
  if (!results) return about;
  const { psnrDb, psnrInterval95Db, ssim, msSsim, mse, seconds, iterations, evaluations } = results;
  const { leakage, notMeasured } = results;
  const { granted, countAccuracy, exact } = results.labels;
  const floors = Object.fromEntries(
    Object.entries(results.floors).flatMap(([name, floor]) =>
      floor ? [[name, { psnrDb: floor.psnrDb, ssim: floor.ssim, msSsim: floor.msSsim }]] : [],
    ),
  );
  const labels = { granted, countAccuracy, exact };
  const scores = { psnrDb, psnrInterval95Db, ssim, msSsim, mse, floors, leakage };
  return {
    ...about,
    ...scores,
    lpips: means(results.lpips),
    featureDistance: means(results.featureDistance),
    identification: results.identification && {
      ...results.identification,
      by: results.identification.by.map(({ measure, share, interval95 }) => ({ measure, share, interval95 })),
    },
    notMeasured,
    ...(results.table && { table: results.table }),
    labels,
    seconds,
    iterations,
    evaluations,
  };
}

function means(measured: RunResults["lpips"]) {
  return measured && { mean: measured.mean, floors: measured.floors };
}

const WIDTH = 96; // columns of text; our choice

/** `fedleak-release on resnet10 (sigmoid), 4 images 3×32×32 from embedded` */
function titleOf({ spec }: RunRecord): string {
  const options = spec.model.options as { readonly activation?: string; readonly inputShape?: readonly number[] };
  const { activation, inputShape } = options;
  const { batchSize, localSteps = 1 } = spec.client as { readonly batchSize: number; readonly localSteps?: number };
  const count = batchSize * localSteps;
  const steps = localSteps > 1 ? ` (${localSteps} local steps of ${batchSize})` : "";
  const noun = spec.data.name === "table" ? "row" : "image";
  const images = `${count} ${noun}${count === 1 ? "" : "s"} ${inputShape?.join("×")}${steps}`;
  return `${spec.attack.name} on ${fileName(spec.model.name)}${activation ? ` (${activation})` : ""}, ${images}, ${spec.data.name}`;
}

/** A model in a file goes by the file's name. */
function fileName(path: unknown): string {
  return String(path).split(/[\\/]/).at(-1)!;
}

/** Whether the control was asked for: where it failed, the ledger says why. */
function floorAsked({ ledger }: RunRecord): boolean {
  return ledger.some(({ assumption }) => assumption === "mismatched-gradient");
}

/** Of a table its cells, of images their PSNR and the like. */
function scored(results: RunResults, asked: boolean): Row[] {
  return results.table ? columnRows(results.table) : scoreRows(results, asked);
}

/** Scores above their floors; a column for each measure that was taken. */
function scoreRows(results: RunResults, asked: boolean): Row[] {
  const { psnrDb, psnrInterval95Db, ssim, msSsim, lpips, featureDistance, floors } = results;
  const interval = (range: readonly [number, number] | null) =>
    range === null ? "" : `95 % interval ${range[0].toFixed(2)} to ${range[1].toFixed(2)}`;
  const networks = [
    ["LPIPS", lpips],
    ["features", featureDistance],
  ] as const;
  const taken = networks.flatMap(([name, measured]) => (measured ? [{ name, measured }] : []));
  const own = (name: string, pairing: "oneToOne" | "manyToOne"): Row => [
    name,
    db(psnrDb[pairing]),
    similarity(ssim[pairing]),
    similarity(msSsim[pairing]),
    ...taken.map(({ measured }) => distance(measured.mean[pairing])),
    interval(psnrInterval95Db[pairing]),
  ];
  return [
    ["", "PSNR", "SSIM", "MS-SSIM", ...taken.map(({ name }) => name), ""],
    own("one-to-one", "oneToOne"),
    own("many-to-one", "manyToOne"),
    ...floorList(floors).map(
      (floor): Row => [
        `floor: ${floor.name}`,
        db(floor.psnrDb),
        similarity(floor.ssim),
        similarity(floor.msSsim),
        ...taken.map(({ measured }) => distance(measured.floors[floor.key])),
        floor.meaning,
      ],
    ),
    ...(floors.mismatchedGradient
      ? []
      : [
          [
            "floor: mismatched gradient",
            "–",
            "–",
            "–",
            ...taken.map(() => "–"),
            `not measured: ${asked ? "the record says why" : "--mismatched-floor"}`,
          ],
        ]),
  ];
}

function factRows(results: RunResults): Row[] {
  const { labels, leakage, seconds, iterations, evaluations } = results;
  const found = `${Math.round(labels.countAccuracy * 100)} % right`;
  const { aboveFloorDb, share } = leakage.oneToOne;
  const above = `${Math.abs(aboveFloorDb).toFixed(2)} dB ${aboveFloorDb < 0 ? "below" : "above"} the highest floor`;
  const ofImages: Row[] = [
    ["leakage", `${above}; ${Math.round(share * 100)} % of the best floor's squared error is gone, image by image`],
    ["identified", identifiedText(results)],
  ];
  return [
    ...(results.table ? [] : ofImages),
    ["labels", labels.granted ? "given to the attack" : `inferred, ${found}`],
    [
      "cost",
      `${iterations} iterations, ${evaluations} gradients, ${seconds.toFixed(1)} s (${rateText(iterations / seconds)})`,
    ],
  ];
}

/** How many images can be told from others, by each measure. */
function identifiedText({ identification, notMeasured }: RunResults): string {
  if (!identification) return `not measured: ${notMeasured.identification}`;
  const by = identification.by.map(({ measure, identified }) => {
    const images = identified.oneToOne;
    return `${images.filter(Boolean).length} of ${images.length} by ${measure}`;
  });
  const guessing = `guessing finds ${Math.round(identification.chance * 100)} %`;
  return `${by.join(", ")}, each among ${identification.distractors} other images (${guessing})`;
}

/** What the reader must know before quoting a number, from the ledger. */
function assumptions({ ledger }: RunRecord): string {
  return QUOTED.flatMap((name) => {
    const entry = ledger.find(({ assumption }) => assumption === name);
    return entry ? [`${name.replaceAll("-", " ")}: ${entry.value}`] : [];
  }).join("; ");
}

const QUOTED = [
  "attack-choice",
  "solution",
  "labels",
  "batch-size",
  "bn-mode",
  "buffers",
  "weights",
  "activation",
  "partition",
  "client",
  "local-steps",
  "contrast",
  "defence",
  "stopping-rule",
  "scoring",
  "peek",
  "resumed",
  "seed",
];

function db(value: number): string {
  return `${value.toFixed(2)} dB`;
}

function similarity(value: number | null): string {
  return value === null ? "–" : value.toFixed(3);
}

function distance(value: number | undefined): string {
  if (value === undefined) return "–";
  return value === 0 || value >= 0.001 ? value.toFixed(3) : value.toPrecision(2);
}
