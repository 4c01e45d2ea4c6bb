import { encodePng } from "../../data/index.ts";
import { row, type Tensor } from "../../tensor/index.ts";
import { readTrialImages, readTrialRecord, trialFolder } from "./compare-folder.ts";
import type { Comparison, TrialRow } from "./comparison.ts";

/** The images of one batch and what each attack made of them, as PNG data URLs. */
export interface BatchPictures {
  readonly setting: string;
  readonly batchSize: number;
  readonly seed: number;
  readonly originals: readonly string[];
  /** In the table's order; each image under the original it was paired with one-to-one. */
  readonly attacks: readonly {
    readonly attack: string;
    readonly images: readonly string[];
    readonly psnrDb: readonly number[];
  }[];
}

/** For each setting and batch size the pictures of the first seed that any attack was scored on. */
export async function comparePictures(folder: string, { plan, rows, table }: Comparison): Promise<BatchPictures[]> {
  const cells = plan.settings.flatMap(({ name }) => plan.batches.map(({ size }) => ({ setting: name, size })));
  const drawn = await Promise.all(
    cells.map(async ({ setting, size }) => {
      const own = rows.filter((r) => r.setting === setting && r.batchSize === size && r.result !== undefined);
      const seed = plan.seeds.find((s) => own.some((r) => r.seed === s));
      if (seed === undefined) return [];
      const order = table.filter((line) => line.setting === setting && line.batchSize === size);
      const shown = order.flatMap(({ attack }) => own.filter((r) => r.seed === seed && r.attack === attack));
      const found = await Promise.all(shown.map((trial) => trialPictures(folder, trial)));
      const [first] = found.filter((pictures) => pictures !== undefined);
      if (first === undefined) return [];
      const attacks = found.flatMap((pictures) => (pictures === undefined ? [] : [pictures]));
      return [{ setting, batchSize: size, seed, originals: first.originals, attacks }];
    }),
  );
  return drawn.flat();
}

const SHOWN = 8; // images of a batch; our choice: as many as fit side by side

/** Undefined when the trial's files cannot be read: a report without them is better than none. */
async function trialPictures(folder: string, { id, attack, result }: TrialRow) {
  const path = trialFolder(folder, id);
  const record = await readTrialRecord(path).catch(() => undefined);
  const images = await readTrialImages(path).catch(() => undefined);
  if (record === undefined || record === "damaged" || record.results === undefined) return undefined;
  if (images === undefined) return undefined;
  const pairs = record.results.pairs.oneToOne.slice(0, SHOWN);
  return {
    attack,
    originals: await dataUrls(
      images.originals,
      pairs.map(({ trueIndex }) => trueIndex),
    ),
    images: await dataUrls(
      images.reconstructions,
      pairs.map(({ reconstructionIndex }) => reconstructionIndex),
    ),
    psnrDb: result!.psnrDb.oneToOne.slice(0, SHOWN),
  };
}

function dataUrls(images: Tensor<"float32">, indices: readonly number[]): Promise<string[]> {
  return Promise.all(
    indices.map(async (i) => {
      const png = await encodePng(row(images, i));
      return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
    }),
  );
}
