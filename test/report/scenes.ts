import type { Images } from "../../src/metrics/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, normal, split, uniform } from "../../src/util/index.ts";

const SIDE = 32; // px, as CIFAR-10

/** `count` made-up little landscapes, [count,3,32,32] in [0,1]: sky, hills and one body each, the same for the same seed. */
export function scenes(count: number, seed: number): Images {
  const data = new Float32Array(count * 3 * SIDE * SIDE);
  for (let m = 0; m < count; m++) {
    const draws = uniform(split(key(seed), m), 20);
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const colour = pixelColour(draws, x / SIDE, y / SIDE);
        for (let c = 0; c < 3; c++) data[((m * 3 + c) * SIDE + y) * SIDE + x] = Math.min(1, Math.max(0, colour[c]!));
      }
    }
  }
  return float32([count, 3, SIDE, SIDE], data);
}

/** What an attack of the given strength might return: image m blurred and noised by `weakness[m]`. */
export function imitation(images: Images, weakness: readonly number[], seed: number): Images {
  const data = new Float32Array(images.data.length);
  const noise = normal(key(seed), data.length);
  for (let plane = 0; plane < data.length / SIDE ** 2; plane++) {
    const weak = weakness[Math.floor(plane / 3)]!;
    const radius = Math.round(weak * 6);
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const i = plane * SIDE ** 2 + y * SIDE + x;
        data[i] = Math.min(1, Math.max(0, boxMean(images.data, plane, x, y, radius) + 0.22 * weak * noise[i]!));
      }
    }
  }
  return float32(images.shape, data);
}

function pixelColour(draws: Float64Array, x: number, y: number): number[] {
  const u = (i: number) => draws[i]!;
  const horizon = 0.45 + 0.3 * u(0) + 0.08 * Math.sin(6 * x + 6 * u(1));
  const sky = [0.35 + 0.4 * u(2) + 0.3 * y, 0.5 + 0.3 * u(3) + 0.25 * y, 0.65 + 0.3 * u(4)];
  const texture = 0.08 * Math.sin(40 * x * (1 + u(5)) + 25 * y);
  const ground = [0.5 * u(6) + 0.15, 0.3 + 0.35 * u(7), 0.4 * u(8) + 0.05].map(
    (value) => value + texture - 0.25 * (y - horizon),
  );
  const [dx, dy] = [x - 0.25 - 0.5 * u(9), (y - 0.35 - 0.35 * u(10)) * (0.8 + u(11))];
  const distance = Math.hypot(dx, dy) / (0.14 + 0.14 * u(12));
  const body = [0.9 * u(13) + 0.05, 0.8 * u(14) + 0.1, 0.9 * u(15)].map(
    (value) => value + 0.35 * (0.5 - distance - dy),
  );
  if (distance < 1) return body;
  return y < horizon ? sky : ground;
}

function boxMean(data: Float32Array, plane: number, x: number, y: number, radius: number): number {
  let [sum, count] = [0, 0];
  for (let v = Math.max(0, y - radius); v <= Math.min(SIDE - 1, y + radius); v++) {
    for (let u = Math.max(0, x - radius); u <= Math.min(SIDE - 1, x + radius); u++) {
      sum += data[plane * SIDE ** 2 + v * SIDE + u]!;
      count++;
    }
  }
  return sum / count;
}
