import type { LabelEvidence } from "../../src/attacks/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, normal, split, uniform } from "../../src/util/index.ts";

export interface HeadOptions {
  readonly classes?: number;
  /** D, features ≥ 0 of each image. */
  readonly width?: number;
  /** How far logits spread over images: 0 predicts all images alike. */
  readonly spread?: number;
  /** Noise on the update, in units of each tensor's root mean square. */
  readonly noise?: number;
  readonly seed?: number;
}

/**
 * What a server would see of a last layer whose images have random features near their class's, and labels `labels`.
 *
 * The dummies' probabilities are those of features drawn without a class.
 */
export function headEvidence(labels: readonly number[], options: HeadOptions = {}): Required<LabelEvidence> {
  const { classes = 6, width = 24, spread = 2, noise = 0, seed = 1 } = options;
  const own = (name: string) => split(key(seed), name);
  const weight = normal(own("weight"), classes * width).map((v) => (v * spread) / Math.sqrt(width));
  const bias = normal(own("bias"), classes).map((v) => 0.3 * v);
  const centres = uniform(own("centres"), classes * width);
  const features = (name: string, kinds: readonly (number | undefined)[]) => {
    const draws = uniform(own(name), kinds.length * width);
    return kinds.map((kind, i) =>
      Array.from({ length: width }, (_, d) => {
        const draw = draws[i * width + d]!;
        return kind === undefined ? draw : draw + centres[kind * width + d]!;
      }),
    );
  };
  const predict = (f: readonly number[]) => {
    const z = Array.from(bias, (b, j) => f.reduce((sum, v, d) => sum + v * weight[j * width + d]!, b));
    const whole = z.reduce((sum, v) => sum + Math.exp(v), 0);
    return z.map((v) => Math.exp(v) / whole);
  };
  const weightGradient = new Float64Array(classes * width);
  const biasGradient = new Float64Array(classes);
  for (const [i, f] of features("images", labels).entries()) {
    predict(f).forEach((p, j) => {
      const r = (p - (labels[i] === j ? 1 : 0)) / labels.length;
      biasGradient[j]! += r;
      f.forEach((v, d) => {
        weightGradient[j * width + d]! += r * v;
      });
    });
  }
  const noisy = (name: string, values: Float64Array) => {
    const rms = Math.hypot(...values) / Math.sqrt(values.length);
    const draws = normal(own(`noise ${name}`), values.length);
    return values.map((v, i) => v + noise * rms * draws[i]!);
  };
  const dummies = features("dummies", new Array<undefined>(64).fill(undefined)).flatMap(predict);
  return {
    head: { weight: "w", bias: "b" },
    update: {
      w: float32([classes, width], noisy("w", weightGradient)),
      b: float32([classes], noisy("b", biasGradient)),
    },
    global: { params: { w: float32([classes, width], weight), b: float32([classes], bias) }, buffers: {} },
    batchSize: labels.length,
    classes,
    probabilities: float32([64, classes], dummies),
  };
}

/** `count` labels drawn uniformly, ascending. */
export function drawnLabels(count: number, classes: number, seed: number): number[] {
  return Array.from(uniform(key(seed), count), (u) => Math.floor(u * classes)).sort((a, b) => a - b);
}
