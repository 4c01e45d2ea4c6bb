import { describe, expect, test } from "vitest";
import { adapted, chain, DEFENCES, link } from "../../src/defences/index.ts";
import { clientGradientStep } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";
import { flat, minus, norm, normalUpdate, tinyStep } from "./tiny.ts";

const step = tinyStep();

describe("secure-aggregation", () => {
  test("shows the mean of the clients' own updates, and says of whom", async () => {
    const sent = await chain(link("secure-aggregation", { clients: 2 }))(step, key(1));
    const own = async (from: number) =>
      flat(
        (
          await clientGradientStep({
            ...step,
            images: float32([2, 1, 4, 4], step.images.data.slice(16 * from, 16 * (from + 2))),
            labels: step.labels.slice(from, from + 2),
          })
        ).update,
      );
    const [first, second] = [await own(0), await own(2)];
    const mean = first.map((value, i) => (value + second[i]!) / 2);
    expect(norm(flat(sent.update).map((value, i) => value - mean[i]!)) / norm(mean)).toBeLessThan(1e-6); // float32
    expect([sent.batchSize, sent.labels]).toEqual([4, step.labels]);
    // Without BatchNorm the mean of gradients is the gradient of all images: the sum hides by numbers alone.
    const whole = (await clientGradientStep(step)).update;
    expect(norm(minus(sent.update, whole)) / norm(mean)).toBeLessThan(1e-5);
  });

  test("averages what each client has defended by itself, with its own noise", async () => {
    const noise = link("gaussian-dp", { clip: 1e6, sigma: 1e-6 }); // deviation 1
    const deviation = async (clients: number) => {
      const plain = await chain(link("secure-aggregation", { clients }))(step, key(1));
      const noisy = await chain(noise, link("secure-aggregation", { clients }))(step, key(1));
      return norm(minus(noisy.update, plain.update));
    };
    expect((await deviation(1)) / (await deviation(4))).toBeGreaterThan(1.6); // 2 for independent noise, 1 for shared
  });

  test("with BatchNorm in train mode each client normalises by its own images, and means of statistics are told", async () => {
    const model = buildModel("resnet10", { inputShape: [1, 8, 8], classes: 3, width: 2 });
    const images = float32([4, 1, 8, 8], uniform(key(2), 256));
    const normed = { ...step, model, weights: initialise(model, key(1)), images };
    const [one, two] = [
      await chain(link("secure-aggregation", { clients: 1 }))(normed, key(1)),
      await chain(link("secure-aggregation", { clients: 2 }))(normed, key(1)),
    ];
    expect(norm(minus(one.update, two.update)) / norm(flat(one.update))).toBeGreaterThan(0.1);
    const first = Object.keys(one.statistics)[0]!; // the first layer's means are of the same values
    two.statistics[first]!.mean.data.forEach((value, i) => {
      expect(value).toBeCloseTo(one.statistics[first]!.mean.data[i]!, 5);
    });
  });

  test("needs a batch that can be shared", async () => {
    await expect(chain(link("secure-aggregation", { clients: 3 }))(step, key(1))).rejects.toThrow(
      /multiple of 3; got 4/,
    );
    expect(() => link("secure-aggregation", { clients: 0 })).toThrow(/a whole number of at least 1/);
  });
});

describe("zero-sum-noise", () => {
  const defence = DEFENCES["zero-sum-noise"]!;
  const sentBy = (clients: number, strength = 2) => {
    const updates = Array.from({ length: clients }, (_, u) => normalUpdate(10 + u));
    if (defence.stage !== "clients") throw new Error("it acts between clients");
    return { updates, sent: defence.apply(updates, { settings: { strength }, key: key(3), step }) };
  };

  test("changes every client's update and preserves their sum", () => {
    for (const clients of [2, 3]) {
      const { updates, sent } = sentBy(clients);
      const sum = (of: typeof updates) => of.map(flat).reduce((a, b) => a.map((value, i) => value + b[i]!));
      const [before, after] = [sum(updates), sum([...sent])];
      expect(norm(after.map((value, i) => value - before[i]!)) / norm(before)).toBeLessThan(1e-6); // float32
      updates.forEach((update, u) => {
        expect(norm(minus(sent[u]!, update)) / norm(flat(update))).toBeGreaterThan(1);
      });
    }
  });

  test("its noise is in proportion to each entry", () => {
    const { updates, sent } = sentBy(1, 0.5);
    const ratios = minus(sent[0]!, updates[0]!).map((value, i) => value / flat(updates[0]!)[i]!);
    expect(Math.abs(norm(ratios) / Math.sqrt(ratios.length) / 0.5 - 1)).toBeLessThan(0.1); // 640 draws: 2.8 %
  });

  test("the mean of clients who exchanged noise is theirs without it", async () => {
    const plain = await chain(link("secure-aggregation"))(step, key(1));
    const masked = await chain(link("zero-sum-noise"), link("secure-aggregation"))(step, key(1));
    expect(norm(minus(masked.update, plain.update)) / norm(flat(plain.update))).toBeLessThan(1e-6); // float32
    const alone = await chain(link("zero-sum-noise"))(step, key(1));
    expect(norm(minus(alone.update, plain.update)) / norm(flat(plain.update))).toBeGreaterThan(0.3);
  });
});

describe("adaptive-dp", () => {
  const length = async (settings: Record<string, number>) =>
    norm(flat((await chain(link("adaptive-dp", settings))(step, key(1))).update));

  test("clips to a × the last norm, or to clip before there is one", async () => {
    const quiet = { sigma: 1e-9 };
    expect(await length({ ...quiet, clip: 0.02 })).toBeLessThanOrEqual(0.02 * (1 + 1e-5));
    const followed = await length({ ...quiet, norm: 0.04, factor: 0.5, clip: 9 });
    expect(followed / (await length({ ...quiet, clip: 0.02 }))).toBeCloseTo(1, 4);
  });

  test("its noise is sigma × decay^decays × clip / B", async () => {
    const noise = async (settings: Record<string, number>) => {
      const [noisy, quiet] = [
        await chain(link("adaptive-dp", settings))(step, key(1)),
        await chain(link("adaptive-dp", { ...settings, sigma: 1e-9 }))(step, key(1)),
      ];
      return norm(minus(noisy.update, quiet.update)) / Math.sqrt(flat(noisy.update).length);
    };
    const usual = await noise({ sigma: 4, clip: 2 });
    expect(Math.abs(usual / 2 - 1)).toBeLessThan(0.2); // about 230 draws: 5 %
    expect((await noise({ sigma: 4, clip: 2, decay: 0.5, decays: 3 })) / usual).toBeCloseTo(1 / 8, 4);
  });

  test("shrinks after three falling validation losses in a row, and counts anew", () => {
    const left = (losses: readonly number[]) =>
      losses.reduce((state, loss, i) => adapted(state, i, loss), {
        norm: 0,
        decays: 0,
        losses: [] as readonly number[],
      });
    expect(left([5, 4, 3]).decays).toBe(0); // two falls
    expect(left([5, 4, 3, 2])).toEqual({ norm: 3, decays: 1, losses: [2] });
    expect(left([5, 4, 4, 3, 2]).decays).toBe(0);
    expect(left([5, 4, 3, 2, 1, 0.5]).decays).toBe(1);
    expect(left([5, 4, 3, 2, 1, 0.5, 0.4]).decays).toBe(2);
  });
});
