import { cellsOf, type Tradeoff, type TradeoffLine, tradeoffTable } from "../../src/audit/index.ts";
import type { CellRow } from "../../src/audit/tradeoff/record.ts";
import { tinyPlan } from "../audit/tradeoff-fixture.ts";

type Trial = CellRow["trials"][number];

/** What a cell of the fixture came to: its accuracy of 200 images, and for each place the PSNR of two images of two seeds. */
export interface FakeCell {
  readonly accuracy: number;
  readonly initial: readonly (readonly [number, number])[];
  readonly trained: readonly (readonly [number, number])[];
}

/** No defence, and one at two strengths, with a floor of 12 dB in every batch. */
export const LEAKING: Readonly<Record<string, FakeCell>> = {
  none: {
    accuracy: 0.9,
    initial: [
      [20, 21],
      [19, 20],
    ],
    trained: [
      [15, 16],
      [14, 17],
    ],
  },
  "quantise-weak": {
    accuracy: 0.88,
    initial: [
      [18, 19],
      [17, 18],
    ],
    trained: [
      [12.1, 12.4],
      [12.2, 12.3],
    ],
  },
  "quantise-strong": {
    accuracy: 0.7,
    initial: [
      [12.2, 12.4],
      [12.1, 12.5],
    ],
    trained: [
      [11, 11.5],
      [12, 11.8],
    ],
  },
};

/** A trade-off with made-up scores; a cell without any is one that failed. */
export function fakeTradeoff(scores: Readonly<Record<string, FakeCell>> = LEAKING): Tradeoff {
  return scored(scores, [null]);
}

/** The same cells at two numbers of local steps, changed as told. */
export function atSteps(
  one: number,
  other: number,
  change: (steps: number, name: string, own: FakeCell) => FakeCell = (_, __, own) => own,
): Tradeoff {
  const rows = [one, other].flatMap((steps) =>
    Object.entries(LEAKING).map(([name, own]) => [`${name}-s${steps}`, change(steps, name, own)] as const),
  );
  return scored(Object.fromEntries(rows), [one, other]);
}

function scored(scores: Readonly<Record<string, FakeCell>>, localSteps: readonly (number | null)[]): Tradeoff {
  const cells = cellsOf([[{ name: "quantise", settings: {} }]], ["weak", "strong"], localSteps);
  const plan = tinyPlan(cells, { seeds: 2 });
  const rows = plan.cells.map(({ name }): CellRow => {
    const own = scores[name];
    if (own === undefined) return { name, status: "failed", failure: "got <NaN> in round 3", trials: [] };
    return { name, status: "finished", training: trainingOf(own), trials: trialsOf(own) };
  });
  return {
    ...{ format: "fedleak-tradeoff", version: 1, status: "finished", startedAt: "2026-03-14T09:26:53.000Z" },
    ...{ command: "fedleak tradeoff --defences 'a & b'", plan, cells: rows, table: tradeoffTable(plan, rows) },
    versions: { fedleak: "0.1.0", node: "20.20.2", onnxruntime: "1.30.0", platform: "linux x64" },
  };
}

function trainingOf({ accuracy }: FakeCell): NonNullable<CellRow["training"]> {
  return {
    ...{ status: "finished", done: 4, unit: "round", seconds: 12, accuracy, accuracyOn: "test", images: 200, loss: 1 },
    ...{ majorityFloor: 0.1, privacy: accuracy < 0.8 ? ["epsilon 1.00 at delta 1e-5"] : [], defences: [] },
  };
}

function trialsOf(own: FakeCell): Trial[] {
  return (["initial", "trained"] as const).flatMap((place) =>
    own[place].map((psnrDb, seed): Trial => {
      const id = `${place}-b2-inverting-gradients-s${seed}`;
      const row = { id, setting: place, batchSize: 2, attack: "inverting-gradients", seed };
      return { ...row, status: "finished", result: resultOf(psnrDb) };
    }),
  );
}

function resultOf(psnrDb: readonly [number, number]): NonNullable<Trial["result"]> {
  return {
    psnrDb: { oneToOne: psnrDb, manyToOne: psnrDb },
    ssim: { oneToOne: 0.5, manyToOne: 0.6 },
    floor: { name: "batch mean", psnrDb: 12 },
    labels: { granted: false, countAccuracy: 0.5 },
    ...{ evaluations: 12, iterations: 12, seconds: 1.5, curve: [] },
  };
}

/** A line of the table by its cell and place. */
export function lineAt({ table }: Tradeoff, cell: string, place: TradeoffLine["place"]): TradeoffLine {
  return table.find((line) => line.cell === cell && line.place === place)!;
}
