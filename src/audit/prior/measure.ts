import { gridPng } from "../../data/index.ts";
import { oneHot } from "../../fl/index.ts";
import { psnrDb } from "../../metrics/index.ts";
import { compile } from "../../runtime/index.ts";
import { float32, row, sizeOf, stack, type Tensor, type Tensors } from "../../tensor/index.ts";
import { normal, split } from "../../util/index.ts";
import { smallShape } from "./degrade.ts";
import { type PriorTraining, priorKey } from "./prepare.ts";
import type { PriorRecord } from "./record.ts";
import { clamped, FEEDS, priorForward, sampleGraph } from "./training-graph.ts";

/** How good the networks are on images they never saw, and a sheet of pictures to look at. */
export interface PriorMeasurement {
  readonly heldOut: NonNullable<PriorRecord["heldOut"]>;
  readonly samplesPng: Uint8Array;
}

const AT_ONCE = 50; // images in one run; our choice
const SHOWN = 10; // images of each kind on the sheet; our choice
const SCALE = 2; // pixels of the sheet a pixel; our choice

/** Measures trained tensors on the held-out images, degraded with noise of half the largest deviation. */
export async function measurePrior(training: PriorTraining, tensors: Tensors<"float32">): Promise<PriorMeasurement> {
  const { spec, networks, data, heldOut } = training;
  const batch = Math.min(AT_ONCE, heldOut.length);
  const { decoded, degraded, restored } = priorForward(networks, spec, { batch, codeNoise: false });
  const seen = { decoded, degraded: clamped(degraded), restored: clamped(restored) };
  const program = await compile(seen, { threads: spec.threads });
  const mean = await meanImage(training);
  const psnr = { decoded: [] as number[], degraded: [] as number[], restored: [] as number[], mean: [] as number[] };
  const rows: Tensor<"float32">[][] = [];
  try {
    for (let start = 0; start < heldOut.length; start += batch) {
      const first = Math.min(start, heldOut.length - batch); // the last run goes back over images already counted
      const { images, labels } = await data.take(heldOut.slice(first, first + batch));
      const noise = smallShape(images.shape, spec.downscale);
      const made = await program.run({
        ...tensors,
        [FEEDS.images]: images,
        [FEEDS.labels]: oneHot(labels, data.classNames.length),
        [FEEDS.imageNoise]: float32(noise, normal(split(priorKey(spec, "measure"), first), sizeOf(noise))),
        [FEEDS.deviation]: float32([batch, 1, 1, 1], new Float32Array(batch).fill(spec.noise / 2)),
      });
      const fresh = start - first;
      for (const name of ["decoded", "degraded", "restored"] as const) {
        psnr[name].push(...psnrDb(images, made[name]!).slice(fresh));
      }
      psnr.mean.push(...psnrDb(images, stack(Array.from({ length: batch }, () => mean))).slice(fresh));
      if (start === 0) rows.push(...[images, made.decoded!, made.degraded!, made.restored!].map(firstOnes));
    }
  } finally {
    await program.release();
  }
  rows.push(await samples(training, tensors, rows[0]!.length));
  return {
    heldOut: {
      decoderPsnrDb: average(psnr.decoded),
      meanImagePsnrDb: average(psnr.mean),
      restoredPsnrDb: average(psnr.restored),
      degradedPsnrDb: average(psnr.degraded),
    },
    samplesPng: await gridPng(drawable(stack(rows.flat())), { columns: rows[0]!.length, scale: SCALE }),
  };
}

/** Images decoded from codes drawn from N(0,1), of the classes in turn. */
async function samples({ spec, networks, data }: PriorTraining, tensors: Tensors<"float32">, count: number) {
  const program = await compile({ images: sampleGraph(networks, count) }, { threads: spec.threads });
  const labels = Array.from({ length: count }, (_, i) => i % data.classNames.length);
  const made = await program
    .run({
      ...tensors,
      [FEEDS.codeNoise]: float32([count, spec.latent], normal(priorKey(spec, "measure"), count * spec.latent)),
      [FEEDS.labels]: oneHot(labels, data.classNames.length),
    })
    .finally(() => program.release());
  return firstOnes(made.images!);
}

/** The mean of the images trained on, [C,H,W]. */
async function meanImage({ data, seen }: PriorTraining): Promise<Tensor<"float32">> {
  const sum = new Float64Array(sizeOf(data.imageShape));
  for (let start = 0; start < seen.length; start += AT_ONCE) {
    const { images } = await data.take(seen.slice(start, start + AT_ONCE));
    images.data.forEach((v, i) => {
      sum[i % sum.length]! += v;
    });
  }
  return float32(
    data.imageShape,
    sum.map((v) => Math.min(1, v / seen.length)),
  );
}

function firstOnes(images: Tensor<"float32">): Tensor<"float32">[] {
  return Array.from({ length: Math.min(SHOWN, images.shape[0]!) }, (_, i) => row(images, i));
}

/** Images that a PNG can show: of other than 1 or 3 channels the first alone. */
function drawable(images: Tensor<"float32">): Tensor<"float32"> {
  const [m, c, h, w] = images.shape as [number, number, number, number];
  if (c === 1 || c === 3) return images;
  const plane = h * w;
  return float32(
    [m, 1, h, w],
    Array.from({ length: m * plane }, (_, i) => images.data[Math.floor(i / plane) * c * plane + (i % plane)]!),
  );
}

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
