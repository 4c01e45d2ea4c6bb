import { encodePng, gridPng } from "../data/index.ts";
import { row, stack, type Tensor } from "../tensor/index.ts";
import type { RunResults } from "./record-schema.ts";

/** The pictures of a run, as PNG bytes for its folder and as data URLs for its report. */
export interface RunPictures {
  readonly originalsPng: Uint8Array;
  readonly reconstructionsPng: Uint8Array;
  /** Each private image above its one-to-one reconstruction; only for a scored run. */
  readonly gridPng: Uint8Array | undefined;
  readonly originals: readonly string[];
  readonly reconstructions: readonly string[];
}

/** Draws a run's private batch and its reconstructions, both [·,C,H,W] in [0,1]; small images enlarged, unblended. */
export async function drawPictures(
  truth: Tensor<"float32">,
  reconstruction: Tensor<"float32">,
  results: RunResults | undefined,
): Promise<RunPictures> {
  const scale = Math.max(1, Math.ceil(SHOWN_WIDTH / truth.shape[3]!));
  const sheet = { columns: COLUMNS, scale };
  return {
    originalsPng: await gridPng(truth, { ...sheet, labels: names("private", truth) }),
    reconstructionsPng: await gridPng(reconstruction, { ...sheet, labels: names("rebuilt", reconstruction) }),
    gridPng: results && (await pairedGrid(truth, reconstruction, results, sheet)),
    originals: await dataUrls(truth),
    reconstructions: await dataUrls(reconstruction),
  };
}

const SHOWN_WIDTH = 96; // pixels an image is enlarged to at least, so that its caption fits; our choice
const COLUMNS = 8; // images side by side; our choice

/** Rows of private images, each followed by the row of their reconstructions with the PSNR under them. */
async function pairedGrid(
  truth: Tensor<"float32">,
  reconstruction: Tensor<"float32">,
  { pairs }: RunResults,
  sheet: { readonly columns: number; readonly scale: number },
): Promise<Uint8Array> {
  const count = truth.shape[0]!;
  const columns = Math.min(sheet.columns, count);
  const blank: Tensor<"float32"> = { ...row(truth, 0), data: new Float32Array(row(truth, 0).data.length).fill(1) };
  const cells: { readonly image: Tensor<"float32">; readonly label: string }[] = [];
  for (let start = 0; start < count; start += columns) {
    const some = Array.from({ length: columns }, (_, i) => pairs.oneToOne[start + i]);
    cells.push(
      ...some.map((pair) =>
        pair ? { image: row(truth, pair.trueIndex), label: `private ${pair.trueIndex}` } : { image: blank, label: "" },
      ),
      ...some.map((pair) =>
        pair
          ? { image: row(reconstruction, pair.reconstructionIndex), label: `${pair.psnrDb.toFixed(2)} dB` }
          : { image: blank, label: "" },
      ),
    );
  }
  return gridPng(stack(cells.map(({ image }) => image)), {
    ...sheet,
    columns,
    labels: cells.map(({ label }) => label),
  });
}

function names(noun: string, { shape }: Tensor): string[] {
  return Array.from({ length: shape[0]! }, (_, i) => `${noun} ${i}`);
}

async function dataUrls(images: Tensor<"float32">): Promise<string[]> {
  return Promise.all(
    Array.from({ length: images.shape[0]! }, async (_, i) => {
      const png = await encodePng(row(images, i));
      return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
    }),
  );
}
