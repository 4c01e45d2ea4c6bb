import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { agreementOf } from "../../src/audit/captured/audit/agreement.ts";
import { labelSets } from "../../src/audit/captured/audit/conduct.ts";
import { confidenceOf, type Found } from "../../src/audit/captured/audit/confidence.ts";
import { permutedUpdate } from "../../src/audit/captured/audit/control.ts";
import { provenCounts } from "../../src/audit/captured/audit/labels.ts";
import { residualOf } from "../../src/audit/captured/audit/residual.ts";
import { strangersResidual } from "../../src/audit/captured/audit/strangers.ts";
import { readTruth } from "../../src/audit/captured/audit/truth.ts";
import { completeAuditSpec } from "../../src/audit/index.ts";
import { embeddedImages, encodePng, takeBatch } from "../../src/data/index.ts";
import { clientUpdate, observe } from "../../src/fl/index.ts";
import type { Images } from "../../src/metrics/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { float32, int64, row, writeSafetensors } from "../../src/tensor/index.ts";
import { key, normal, split, uniform } from "../../src/util/index.ts";
import { THREADS } from "./captured-fixture.ts";

let photos: Images;
let others: Images;
beforeAll(async () => {
  const all = await embeddedImages({ size: 16 });
  const at = (label: number, nth: number) => all.labels.flatMap((l, i) => (l === label ? [i] : []))[nth]!;
  photos = takeBatch(all, [at(0, 0), at(1, 0), at(2, 0), at(3, 0)]).images;
  others = takeBatch(all, [at(4, 0), at(5, 0), at(6, 0), at(7, 0)]).images;
});

/** Images with noise of this deviation, in [0,1]. */
function noisy({ shape, data }: Images, deviation: number, seed: number): Images {
  const noise = normal(key(seed), data.length);
  return float32(
    shape,
    data.map((v, i) => Math.min(1, Math.max(0, v + deviation * noise[i]!))),
  );
}

/** The images in another order. */
const turned = (images: Images): Images => {
  const rows = [1, 2, 3, 0].map((i) => row(images, i));
  return float32(
    images.shape,
    rows.flatMap(({ data }) => [...data]),
  );
};

describe("agreement over seeds", () => {
  it("is found image by image whatever order they come in, at the PSNR of their difference", () => {
    const found = agreementOf([noisy(photos, 0.05, 1), turned(noisy(photos, 0.05, 2)), noisy(photos, 0.05, 3)], others);
    for (const { meanDb, agrees } of found) {
      expect(agrees).toBe(true);
      expect(meanDb).toBeGreaterThan(22); // errors of deviation 0.05 twice: 23 dB
      expect(meanDb).toBeLessThan(25); // clamping takes some of it
    }
  });

  it("of blank pictures is none, though they are near each other", () => {
    const blank = float32(photos.shape, new Float32Array(photos.data.length).fill(0.5));
    const found = agreementOf([noisy(blank, 0.02, 1), noisy(blank, 0.02, 2)], undefined);
    for (const { meanDb, agrees } of found) {
      expect(meanDb).toBeGreaterThan(28);
      expect(agrees).toBe(false);
    }
  });

  it("of different pictures is none, and of one alone that is the same is one", () => {
    expect(agreementOf([photos, others], undefined).some(({ agrees }) => agrees)).toBe(false);
    const size = photos.data.length / 4;
    const mixed = float32(photos.shape, [...photos.data.slice(0, size), ...others.data.slice(size)]);
    expect(agreementOf([photos, mixed], undefined).map(({ agrees }) => agrees)).toEqual([true, false, false, false]);
  });

  it("with what the control finds too is none", () => {
    const [a, b] = [noisy(photos, 0.05, 1), noisy(photos, 0.05, 2)];
    expect(agreementOf([a, b], noisy(photos, 0.05, 3)).some(({ agrees }) => agrees)).toBe(false);
  });
});

describe("confidence without the truth", () => {
  const of = (name: string, residual: number | null, images: Images): Found => ({
    row: {
      ...{ name, residual, status: residual === null ? "failed" : "finished", labels: [], curve: [] },
      ...{ iterations: 1, evaluations: 1, seconds: 0 },
      ...(residual === null && { failure: "not finite" }),
    },
    images,
  });
  const control = (residual: number | null) => of("control", residual, others);
  const judged = (found: Found[], floor: number | null = 0.4, strangers: number | null = 1) =>
    confidenceOf(found, control(floor), strangers, 4);

  it("needs a residual of half the control's, and the same images twice", () => {
    const two = (a: number, b: number, second = photos) => judged([of("seed-0", a, photos), of("seed-1", b, second)]);
    expect(two(0.1, 0.15)).toMatchObject({ outcome: "agree-and-fit", best: "seed-0", fitting: ["seed-0", "seed-1"] });
    expect(two(0.15, 0.1)).toMatchObject({ best: "seed-1", residual: 0.1, controlResidual: 0.4 });
    expect(two(0.1, 0.1, others)?.outcome).toBe("fit-but-disagree");
    expect(two(0.1, 0.3)?.outcome).toBe("fit-unconfirmed");
    expect(two(0.3, 0.3)?.outcome).toBe("no-fit");
    expect(judged([of("seed-0", 0.1, photos), of("seed-1", 0.1, photos)], 0.4, 0.15)?.outcome).toBe("no-fit"); // strangers do as well
  });

  it("passes over searches that failed, and confirms nothing without a control or strangers", () => {
    expect(judged([of("seed-0", null, photos)])).toBeUndefined();
    expect(judged([of("seed-0", null, photos), of("seed-1", 0.1, photos)])?.outcome).toBe("fit-unconfirmed");
    expect(judged([of("seed-0", 0.45, photos), of("seed-1", 0.45, photos)], null)?.outcome).toBe("fit-unconfirmed");
    expect(judged([of("seed-0", 0.1, photos), of("seed-1", 0.1, photos)], 0.4, null)?.outcome).toBe("fit-unconfirmed");
    expect(judged([of("seed-0", 0.55, photos), of("seed-1", 0.55, photos)], null)?.outcome).toBe("no-fit");
  });

  it("is in part where fewer than half of the searches fit", () => {
    const five = (fitting: number) =>
      judged(Array.from({ length: 5 }, (_, i) => of(`seed-${i}`, i < fitting ? 0.1 : 0.3, photos)))?.outcome;
    expect([five(2), five(3)]).toEqual(["agree-in-part", "agree-and-fit"]);
  });

  it("of a closed form is proof when its gradient is the update", () => {
    const sound = { complete: true, relativeResidual: 1e-6, leastCosine: 0.9999 };
    const solved = (residual: number, proof?: Found["row"]["proof"]) => {
      const { row, images } = of("closed-form", residual, photos);
      return confidenceOf([{ row: { ...row, ...(proof && { proof }) }, images }], undefined, null, 4)?.outcome;
    };
    expect(solved(0.001, sound)).toBe("exact");
    expect(solved(0.1, sound)).toBe("exact"); // a proof is one whatever the head's part of the residual
    expect(solved(0.1, { ...sound, complete: false })).toBe("no-fit");
    expect(solved(0.1)).toBe("no-fit");
    expect(solved(0.001, { ...sound, complete: false })).toBe("fit-unconfirmed"); // one of many images
    expect(solved(0.001, { ...sound, relativeResidual: 0.4 })).toBe("fit-unconfirmed"); // weights of another round
    expect(solved(0.001, { ...sound, leastCosine: 0.3 })).toBe("fit-unconfirmed"); // the head alone is explained
    expect(solved(0.001)).toBe("fit-unconfirmed");
  });
});

it("strangers are tried under every set of labels that a search took", () => {
  expect(labelSets([[1, 0], [0, 1], [2, 2], [0, 0]])).toEqual([[0, 1], [2, 2], [0, 0]]); // biome-ignore format: pairs
});

const MODEL = buildModel("lenet-sigmoid", { inputShape: [3, 16, 16], classes: 5 });

describe("the control's update", () => {
  it("has the same entries in another order and of other signs, the head as it was", async () => {
    const weights = initialise(MODEL, key(1));
    const images = photos;
    const sent = await clientUpdate({ model: MODEL, weights, images, labels: [0, 1, 2, 2], mode: "train", ...THREADS });
    const made = permutedUpdate(sent.update, MODEL.head, key(2));
    const sizes = (data: Float32Array) => [...data].map(Math.abs).sort((a, b) => a - b);
    for (const [name, { data }] of Object.entries(sent.update)) {
      const [now, same] = [made[name]!.data, name === MODEL.head.weight || name === MODEL.head.bias];
      expect(sizes(now)).toEqual(sizes(data));
      if (same) expect(now).toEqual(data);
      else expect(now).not.toEqual(data);
    }
    expect(permutedUpdate(sent.update, MODEL.head, key(2))).toEqual(made);
    const signs = Object.values(made).flatMap(({ data }) => [...data].map(Math.sign));
    expect(signs.filter((sign) => sign < 0).length / signs.length).toBeGreaterThan(0.3);
  });
});

describe("labels that the head's signs prove", () => {
  it("are never more than there are, and for a fresh network nearly all", async () => {
    for (const labels of [
      [0, 1, 2, 2],
      [4, 4, 4, 4],
      [3, 0, 3, 1],
    ]) {
      const weights = initialise(MODEL, key(3));
      const sent = await clientUpdate({ model: MODEL, weights, images: photos, labels, mode: "train", ...THREADS });
      const proven = provenCounts({ head: MODEL.head, update: sent.update, batchSize: 4 })!;
      const total = Object.values(proven).reduce((a, b) => a + b, 0);
      for (const [label, count] of Object.entries(proven)) {
        expect(count).toBeLessThanOrEqual(labels.filter((l) => `${l}` === label).length);
      }
      expect(total).toBeGreaterThanOrEqual(3); // probabilities of 0.2 take one image of four away at most
    }
  });

  it("are none without a bias", () => {
    expect(provenCounts({ head: { weight: "w" }, update: {}, batchSize: 4 })).toBeNull();
  });
});

describe("the residual", () => {
  const settings = { localModel: "averaged", surrogateAt: 0.5 } as const;
  const frame = { model: MODEL, ...THREADS };
  const labels = [0, 1, 2, 3];

  it("is 0 for the client's own images, and not for others", async () => {
    const weights = initialise(MODEL, key(4));
    const sent = await clientUpdate({ model: MODEL, weights, images: photos, labels, mode: "train", ...THREADS });
    const observation = observe(sent, ["batch-size"]);
    const own = await residualOf(photos, labels, { ...frame, observation, settings });
    const foreign = await residualOf(others, labels, { ...frame, observation, settings });
    const strangers = await strangersResidual(labels, { ...frame, observation, settings }, key(5));
    expect(Math.abs(own)).toBeLessThan(1e-7); // float64 sums of float32 gradients; cosine is quadratic in their errors
    expect(foreign).toBeGreaterThan(1e-6); // of this network labels explain nearly all
    expect(strangers).toBeGreaterThan(1e-6);
    expect(strangers).toBeLessThan(foreign * 10);
    const repeated = await strangersResidual(labels, { ...frame, observation, settings }, key(5));
    expect(repeated).toBe(strangers);
  });

  it("takes several local steps as the search does", async () => {
    const weights = initialise(MODEL, key(4));
    const local = { steps: 2, learningRate: 0.5 };
    const at = [0, 2, 1, 3].map((i) => row(photos, i)); // step 0 has rows 0 and 2 of `photos`, as candidates are dealt
    const images = float32(
      photos.shape,
      at.flatMap(({ data }) => [...data]),
    );
    const sent = await clientUpdate({
      model: MODEL,
      weights,
      images,
      labels: [0, 2, 1, 3],
      mode: "train",
      local,
      ...THREADS,
    });
    const observation = observe(sent, ["batch-size", "local-schedule"]);
    const as = (localModel: "averaged" | "unrolled" | "surrogate") =>
      residualOf(photos, labels, { ...frame, observation, settings: { localModel, surrogateAt: 0.5 } });
    const [averaged, unrolled, surrogate] = [await as("averaged"), await as("unrolled"), await as("surrogate")];
    expect(unrolled).toBeLessThan(1e-5); // weights in float32
    expect(averaged).toBeGreaterThan(10 * unrolled);
    expect(surrogate).toBeGreaterThan(10 * unrolled);
    expect(surrogate).not.toBe(averaged);
  });
});

describe("the truth", () => {
  const frame = { inputShape: [3, 16, 16], classes: 10, classNames: [] };
  const folder = () => mkdtempSync(join(tmpdir(), "fedleak-truth-"));
  const png = async (at: string, i: number) => writeFileSync(at, await encodePng(row(photos, i)));
  const classFolders = async (names: readonly string[]) => {
    const dir = folder();
    for (const name of names) {
      mkdirSync(join(dir, name));
      await png(join(dir, name, "a.png"), 0);
    }
    return dir;
  };

  it("is read from a folder of images without classes", async () => {
    const dir = folder();
    for (const i of [0, 1]) await png(join(dir, `${i}.png`), i);
    const { images, labels } = await readTruth(dir, frame);
    expect(images.shape).toEqual([2, 3, 16, 16]);
    expect(labels).toBeUndefined();
    expect(Math.abs(images.data[7]! - photos.data[7]!)).toBeLessThan(1 / 255); // bytes
  });

  it("takes class folders by the manifest's names and by number", async () => {
    const { labels } = await readTruth(await classFolders(["7", "cat"]), {
      ...frame,
      classNames: ["dog", "x", "y", "cat"],
    });
    expect(labels).toEqual([7, 3]);
    const digits = { ...frame, classNames: ["3", "8"] }; // 2 is no name, and no index among names that are numbers
    expect((await readTruth(await classFolders(["8"]), digits)).labels).toEqual([1]);
    expect((await readTruth(await classFolders(["2"]), digits)).labels).toBeUndefined();
    const five = { ...frame, classes: 5 };
    await expect(readTruth(await classFolders(["7"]), five)).rejects.toThrow(/5 classes; got class 7/);
  });

  it("counts class folders in their order where they are all classes of the model, and nothing names them", async () => {
    const names = ["cat", "dog"];
    expect((await readTruth(await classFolders(names), { ...frame, classes: 2 })).labels).toEqual([0, 1]);
    const some = await readTruth(await classFolders(names), frame); // two of ten: which ones?
    expect(some.labels).toBeUndefined();
    expect(some.source).toMatch(/classes not known/);
    const renamed = await readTruth(await classFolders(names), { ...frame, classes: 2, classNames: ["Cat", "Dog"] });
    expect(renamed.labels).toBeUndefined();
  });

  it("is read from what train --capture writes, and must have the model's shape", async () => {
    const dir = folder();
    writeFileSync(
      join(dir, "truth.safetensors"),
      writeSafetensors({ images: photos, labels: int64([4], [1, 2, 3, 4]) }),
    );
    expect(await readTruth(dir, frame)).toMatchObject({ images: photos, labels: [1, 2, 3, 4] });
    await expect(readTruth(dir, { ...frame, inputShape: [3, 8, 8] })).rejects.toThrow(/images \[M,3,8,8\]/);
    await expect(readTruth(join(dir, "none"), frame)).rejects.toThrow(/no such path/);
  });
});

describe("a request", () => {
  it("gets ten minutes unless evaluations, iterations or a time are told", () => {
    expect(completeAuditSpec({ update: "u" })).toMatchObject({ budgetMs: 600_000, seeds: 3, attack: { name: "auto" } });
    const counted = { update: "u", attack: { settings: { evaluations: 10 } } };
    expect(completeAuditSpec(counted).budgetMs).toBeNull();
    expect(completeAuditSpec({ ...counted, budgetMs: 1000 }).budgetMs).toBe(1000);
    const again = completeAuditSpec(JSON.parse(JSON.stringify(completeAuditSpec({ update: "u" }))));
    expect(again).toEqual(completeAuditSpec({ update: "u" })); // as resume reads it
  });

  it.each([
    [{ grants: ["labels"] }, /granted labels must come from somewhere: the truth/],
    [{ grants: ["public-date"] }, /Did you mean "public-data"/],
    [{ grants: ["bn-statistics"] }, /one of labels, public-data; got "bn-statistics"/],
    [{ attack: { prior: "p" } }, /a prior needs the grant "public-data"/],
    [{ target: "y" }, /column of a truth that is a table.*got no truth/],
    [{ target: "y", truth: "photos" }, /got the truth photos/],
    [{ seeds: 99 }, /audit seeds: it must be a whole number from 1 to 20; got 99/],
    [{ sedes: 2 }, /Did you mean "seeds"/],
    [{ device: "gpu" }, /device/],
  ])("%o is refused in words", (wrong, words) => {
    expect(() => completeAuditSpec({ update: "u", ...(wrong as object) })).toThrow(words);
  });
});

it("noise is no leak: uniform draws have other floors than photographs", () => {
  const noise = (seed: number) => float32(photos.shape, uniform(split(key(seed), "n"), photos.data.length));
  expect(agreementOf([noise(1), noise(2)], undefined).some(({ agrees }) => agrees)).toBe(false);
});
