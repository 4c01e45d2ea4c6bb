import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import {
  completePriorSpec,
  loadPrior,
  type PriorOutcome,
  type PriorRequest,
  resumePrior,
  trainPrior,
} from "../../../src/audit/prior/index.ts";
import { input } from "../../../src/graph/index.ts";
import { compile } from "../../../src/runtime/index.ts";
import { float32 } from "../../../src/tensor/index.ts";
import { key, normal } from "../../../src/util/index.ts";
import { freshFolder, imageFolder } from "../../cli/fedleak.ts";

const SIZE = 8;

/** 40 grey images of 8 × 8: an edge across or down, anywhere, between any two levels. */
async function edges(): Promise<string> {
  const image = async (i: number, across: boolean) => {
    const levels = [0.1 + ((i * 37) % 40) / 100, 0.5 + ((i * 17) % 40) / 100] as const;
    const at = (p: number) => levels[(across ? p % SIZE : Math.floor(p / SIZE)) < 2 + (i % 5) ? 0 : 1];
    const pixels = Uint8Array.from({ length: SIZE * SIZE }, (_, p) => Math.round(255 * at(p)));
    const png = await sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 1 } })
      .png()
      .toBuffer();
    return [`${i}.png`, new Uint8Array(png)] as const;
  };
  const all = (across: boolean) =>
    Promise.all(Array.from({ length: 20 }, (_, i) => image(across ? i : i + 20, across)));
  return imageFolder({ across: Object.fromEntries(await all(true)), down: Object.fromEntries(await all(false)) });
}

let images: string;
const specOf = (more: Partial<PriorRequest> = {}) =>
  completePriorSpec({
    ...{ latent: 6, channels: 4, restorerChannels: 4, restorerBlocks: 1, batch: 8, learningRate: 0.01 },
    ...{ klWeight: 1e-4, noise: 0.3, downscale: 2, steps: 200, checkpointEvery: 50, threads: 1 },
    data: { name: "image-folder", paths: [images] },
    ...more,
  });
const trained = (more: Partial<PriorRequest> = {}, out = join(freshFolder(), "prior")) =>
  trainPrior(specOf(more), { out, command: "fedleak train-prior" });

let whole: PriorOutcome;
beforeAll(async () => {
  images = await edges();
  whole = await trained();
});

describe("a trained prior", () => {
  test("makes held-out images again, and restores degraded ones, better than knowing nothing does", () => {
    const { decoderPsnrDb, meanImagePsnrDb, restoredPsnrDb, degradedPsnrDb } = whole.record.heldOut!;
    // of 4 images; measured 21.2 and 17.4 dB, and another four 22.6 and 15.3; the restorer 20.3 and 16.7
    expect(decoderPsnrDb).toBeGreaterThan(meanImagePsnrDb + 2);
    expect(restoredPsnrDb).toBeGreaterThan(degradedPsnrDb + 1);
    expect(whole.record.trainedOn).toMatchObject({ images: 36, heldOut: 4, classNames: ["across", "down"] });
  });

  test("control: trained with no step size to speak of, it is no better than the mean image", async () => {
    const { record } = await trained({ learningRate: 1e-9, steps: 5 });
    expect(record.heldOut!.decoderPsnrDb).toBeLessThan(record.heldOut!.meanImagePsnrDb + 1);
    expect(record.heldOut!.restoredPsnrDb).toBeLessThan(record.heldOut!.degradedPsnrDb + 0.2);
  });

  test("decodes codes into [0,1], other codes into other images, and restores into [0,1]", async () => {
    const { prior } = await loadPrior(whole.folder);
    expect([prior.latent, prior.imageShape, prior.classes]).toEqual([6, [3, SIZE, SIZE], 0]);
    const found = input("images", [2, 3, SIZE, SIZE]);
    const outputs = { decoded: prior.decode(input("z", [2, 6])), restored: prior.restore!(found) };
    const program = await compile(outputs, { bake: prior.tensors, threads: 1 });
    const noise = float32(found.shape, normal(key(1), 2 * 3 * SIZE * SIZE));
    const { decoded, restored } = await program.run({
      z: float32([2, 6], [1, 0, 0, 2, -1, 0, -1, 0.5, 1, 0, 1, -2]),
      images: noise,
    });
    await program.release();
    for (const v of [...decoded!.data, ...restored!.data]) expect(v >= 0 && v <= 1).toBe(true);
    const half = decoded!.data.length / 2;
    const apart = decoded!.data.subarray(0, half).map((v, i) => Math.abs(v - decoded!.data[half + i]!));
    expect(Math.max(...apart)).toBeGreaterThan(0.1);
  });

  test("says in words what it was trained on", async () => {
    const { prior } = await loadPrior(whole.folder);
    expect(prior.about).toMatch(/36 images of image folder .* for 200 steps; held-out images: decoder \d+\.\d\d dB/);
  });
});

test("the same seed gives the same prior, another seed another one", async () => {
  const short = { steps: 12 };
  const [one, same, other] = [await trained(short), await trained(short), await trained({ ...short, seed: 1 })];
  expect(same.record.fingerprint).toBe(one.record.fingerprint);
  expect(other.record.fingerprint).not.toBe(one.record.fingerprint);
});

test("stopped and resumed, it ends as if it had not stopped; stopped, it can be used", async () => {
  const short = { steps: 40, checkpointEvery: 7 };
  const straight = await trained(short);
  const out = join(freshFolder(), "prior");
  const stop = new AbortController();
  const onEvent = (event: { kind: string; step?: number }) => {
    if (event.step === 18) stop.abort();
  };
  const first = await trainPrior(specOf(short), { out, command: "x", onEvent, signal: stop.signal });
  expect([first.record.status, first.record.stepsDone]).toEqual(["interrupted", 18]);
  expect((await loadPrior(out)).prior.about).toContain("for 18 steps, interrupted before the end");
  const second = await resumePrior(out, {});
  expect([second.record.status, second.record.stepsDone]).toEqual(["finished", 40]);
  expect(second.record.fingerprint).toBe(straight.record.fingerprint);
  await expect(resumePrior(out, {})).rejects.toThrow(/must have been stopped before its end; got a finished one/);
});

test("told the class, a decoder has the data's classes", async () => {
  const { folder } = await trained({ classConditional: true, steps: 5 });
  const { prior } = await loadPrior(folder);
  expect(prior.classes).toBe(2);
  expect(prior.decode(input("z", [4, 6]), input("labels", [4, 2])).shape).toEqual([4, 3, SIZE, SIZE]);
});

test("what is wrong is explained", async () => {
  await expect(loadPrior(freshFolder())).rejects.toThrow(/no readable prior\.json/);
  const { folder } = await trained({ steps: 2 });
  const file = join(folder, "prior.safetensors");
  const bytes = readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(file, bytes);
  await expect(loadPrior(folder)).rejects.toThrow(
    /must be the file that prior\.json beside it tells of; got other numbers/,
  );
  writeFileSync(join(folder, "prior.json"), "{}");
  await expect(loadPrior(folder)).rejects.toThrow(/"format" must be "fedleak-prior"; got none/);
  await expect(trained({ batch: 37 })).rejects.toThrow(/batch size must be a whole number from 1 to 36/);
  expect(() => completePriorSpec({ data: { name: "mnist" }, latent: 0 })).toThrow(/train-prior latent: .*got 0/);
});
