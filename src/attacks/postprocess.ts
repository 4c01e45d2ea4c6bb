import type { Column } from "../data/browser.ts";
import { input } from "../graph/index.ts";
import { type CompileOptions, compile, type Program } from "../runtime/index.ts";
import { clamped, float32, type Shape, type Tensor } from "../tensor/index.ts";
import { hardRows } from "./parameterisation/index.ts";
import { needRestorer } from "./prior/need-prior.ts";
import type { Prior } from "./prior/types.ts";
import type { AttackSettings } from "./settings.ts";

/** What is done to a search's images before they are handed over. */
export interface Finisher {
  /** [B,C,H,W] → the same shape, in [0,1]. */
  images(found: Tensor<"float32">): Promise<Tensor<"float32">>;
  release(): Promise<void>;
}

export interface FinishPlace {
  /** [B,C,H,W] */
  readonly shape: Shape;
  readonly prior: Prior | undefined;
  readonly options: CompileOptions;
  /** Whether the update says nothing of the batch's brightness and contrast, so that `stretch` may choose them. */
  readonly contrastHidden: boolean;
  /** Of a table's rows; absent for images. */
  readonly columns?: readonly Column[] | undefined;
}

/**
 * Images put into [0,1], stretched first when `stretch` is set and the contrast is hidden, then restored by the prior's
 * network when `restore` is set, then median-filtered unless their shorter side is under `medianFilterFrom`. Of a table's rows
 * each category is decided.
 */
export function finisher(
  settings: Pick<AttackSettings, "stretch" | "medianFilter" | "medianFilterFrom" | "restore">,
  place: FinishPlace,
): Finisher {
  const restore = settings.restore ? needRestorer(place.prior, "restore") : undefined;
  let program: Promise<Program> | undefined; // compiled when the first images are finished
  const restored = async (images: Tensor<"float32">) => {
    if (!restore) return images;
    program ??= compile({ [RESTORED]: restore(input(FOUND, place.shape)) }, place.options);
    return clamped((await (await program).run({ [FOUND]: images }))[RESTORED]!);
  };
  return {
    images: async (found) => {
      const spread = settings.stretch && place.contrastHidden ? stretched(found) : found;
      const finished = filtered(await restored(clamped(spread)), settings);
      return place.columns ? hardRows(finished, place.columns) : finished;
    },
    release: async () => (await program)?.release(),
  };
}

const OUTLIERS = 1e-4; // share of a batch's values at each end that may lie outside: one of 4 images at 32 × 32; our choice

/**
 * One scale and one offset for the whole batch, such that its darkest value becomes 0 and its brightest 1, outliers apart.
 *
 * x → (x − lo)/(hi − lo), lo and hi the quantiles at 0.0001 and 0.9999 of all values. A batch of one value stays as it is.
 * Behind a convolution, BatchNorm by the batch gives x and a·x the same outputs and the same gradients (`contrastHidden`), and
 * x + c but for the zero padding at the borders: the update does not tell contrast from contrast. Ours; it takes for
 * granted that the private batch holds a black and a white value, as most photographs do.
 */
export function stretched({ shape, data }: Tensor<"float32">): Tensor<"float32"> {
  const sorted = Float32Array.from(data).sort();
  const skip = Math.floor(OUTLIERS * sorted.length);
  const [lo, hi] = [sorted[skip]!, sorted[sorted.length - 1 - skip]!];
  return hi > lo
    ? float32(
        shape,
        data.map((v) => (v - lo) / (hi - lo)),
      )
    : float32(shape, data);
}

const [FOUND, RESTORED] = ["found", "restored"] as const;

function filtered(
  images: Tensor<"float32">,
  { medianFilter, medianFilterFrom }: Pick<AttackSettings, "medianFilter" | "medianFilterFrom">,
): Tensor<"float32"> {
  const [h, w] = images.shape.slice(2) as [number, number];
  return medianFilter > 1 && Math.min(h, w) >= medianFilterFrom ? median(images, medianFilter) : images;
}

/**
 * Each pixel replaced by the median of the width × width window around it, channel by channel.
 *
 * images [B,C,H,W]; width odd. Beyond the border the nearest pixel is repeated: it adds no value that the image lacks
 * and leaves flat edges flat, as OpenCV's medianBlur does (zeros, another habit, would darken corners).
 * Source: the 5 × 5 filter of FedLeak's released program; its border rule is not described, so this one is our choice.
 */
export function median(images: Tensor<"float32">, width: number): Tensor<"float32"> {
  const [b, c, h, w] = images.shape as [number, number, number, number];
  const reach = (width - 1) / 2;
  const out = new Float32Array(images.data.length);
  const window = new Float32Array(width * width);
  for (let plane = 0; plane < b * c; plane++) {
    const source = images.data.subarray(plane * h * w, (plane + 1) * h * w);
    for (let i = 0; i < h; i++) {
      for (let j = 0; j < w; j++) {
        let n = 0;
        for (let p = i - reach; p <= i + reach; p++) {
          for (let q = j - reach; q <= j + reach; q++) window[n++] = source[within(p, h) * w + within(q, w)]!;
        }
        out[plane * h * w + i * w + j] = window.sort()[(n - 1) / 2]!; // typed arrays sort by number
      }
    }
  }
  return float32(images.shape, out);
}

/** The index in 0 … extent − 1 nearest to `index`. */
function within(index: number, extent: number): number {
  return Math.min(extent - 1, Math.max(0, index));
}
