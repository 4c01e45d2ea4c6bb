import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { completeTrainSpec, resumeTraining, type TrainRequest } from "../../src/audit/index.ts";
import { planDefences } from "../../src/audit/train/defended.ts";
import { participationsOf } from "../../src/audit/train/parts.ts";
import { exposureOf } from "../../src/audit/train/privacy.ts";
import { classicalSigma, epsilonOf, link } from "../../src/defences/index.ts";
import { readSafetensors, type Tensors } from "../../src/tensor/index.ts";
import { cifarFile, small, train } from "./train-fixture.ts";

const FILE = cifarFile(80);
const tensorsOf = (folder: string, file: string) =>
  readSafetensors(readFileSync(join(folder, file)), file).tensors as Tensors<"float32">;

type Defences = NonNullable<TrainRequest["federation"]>["defences"];

/** A federation of three clients with 24 images each, two of them a round. */
function federation(defences: Defences, changes: TrainRequest = {}): TrainRequest {
  return small(FILE, {
    ...{ training: "fedavg", length: 4, model: { name: "mlp3", options: { hidden: 4 } } },
    ...changes,
    federation: { clients: 3, share: 0.67, localSteps: 2, ...changes.federation, defences },
  });
}

const DP = { name: "dp-sgd", settings: { sigma: 0.5 } };
const FEDSGD: TrainRequest = { training: "fedsgd", federation: { localSteps: 1 } };

/** What client 1 sends in round 2, when it was captured. */
async function sent(defences: Defences, changes: TrainRequest) {
  const capture = { client: 1, rounds: [2] };
  const { folder } = await train(federation(defences, { ...changes, federation: { ...changes.federation, capture } }));
  const of = (file: string) => tensorsOf(folder, `captured/client-1-round-2/${file}.safetensors`);
  return { update: of("update"), before: of("before"), folder };
}

describe("a training with defences", { timeout: 60_000 }, () => {
  it.each<[string, Defences, TrainRequest]>([
    ["fedavg with noise inside and rounding after", [DP, { name: "quantise" }], {}],
    ["fedsgd with noise and zeros", [DP, { name: "sparsify" }], FEDSGD],
    ["fedavg with noise that shrinks", [{ name: "adaptive-dp", settings: { sigma: 0.01 } }], {}],
    ["fedavg with outpost", [{ name: "outpost" }], { federation: { send: "delta" } }],
  ])("%s: stopped and resumed it ends with the same bits", async (_, defences, changes) => {
    const request = { ...federation(defences, { ...changes, checkpointEvery: 2 }), length: 6 };
    const whole = await train(request);
    const stop = new AbortController();
    const onEvent = (event: { readonly kind: string; readonly done?: number }) => {
      if (event.kind === "advance" && event.done === 5) stop.abort();
    };
    const part = await train(request, { signal: stop.signal, onEvent });
    expect(part.record.status).toBe("interrupted");
    const { record } = await resumeTraining(part.folder, { render: () => "" });
    const weights = (folder: string) => readFileSync(join(folder, "weights.safetensors"));
    expect(weights(part.folder)).toEqual(weights(whole.folder));
    expect(record.results!.defences).toEqual(whole.record.results!.defences);
    expect(record.results!.defences).toHaveLength(defences!.length);
    const plain = await train({ ...federation([], changes), length: 6 });
    expect(weights(plain.folder)).not.toEqual(weights(whole.folder));
    expect(plain.record.defences).toBeUndefined();
    const other = await train({ ...request, seed: 1 });
    expect(weights(other.folder)).not.toEqual(weights(whole.folder));
  });

  it.each<[string, Defences]>([
    ["dp-sgd", [DP]],
    ["gaussian-dp", [{ name: "gaussian-dp", settings: { sigma: 0.01, clip: 0.1 } }]],
    ["dp-sgd, then sparsify", [DP, { name: "sparsify", settings: { percent: 50 } }]],
    ["soteria", [{ name: "soteria" }]],
  ])("%s: with one local step FedAvg sends what FedSGD sends", async (_, defences) => {
    const optimiser = { weightDecay: 0, learningRate: 0.5, schedule: "constant" } as const;
    const gradient = await sent(defences, { ...FEDSGD, optimiser });
    const delta = await sent(defences, { optimiser, federation: { localSteps: 1, send: "delta" } });
    expect(Object.keys(delta.update)).toEqual(Object.keys(gradient.update));
    for (const [name, { data }] of Object.entries(gradient.update)) {
      const change = delta.update[name]!.data;
      const worst = data.reduce((most, g, i) => Math.max(most, Math.abs(g + change[i]! / 0.5)), 0);
      expect(worst, name).toBeLessThan(2e-5); // weights of up to 1 in float32, twice rounded, over a step of 0.5; and two rounds before
    }
  });

  it("captures what was sent: entries are zeroed, noise differs between clients and rounds", async () => {
    const zeroed = await sent([{ name: "sparsify", settings: { percent: 75 } }], { federation: { send: "delta" } });
    for (const [name, { data }] of Object.entries(zeroed.update)) {
      expect(data.filter((v) => v === 0).length / data.length, name).toBeGreaterThanOrEqual(0.7);
    }
    const noised = async (client: number, round: number) => {
      const capture = { client, rounds: [round] };
      const defences = [{ name: "gaussian-dp", settings: { sigma: 100, clip: 1e-6 } }]; // next to nothing but noise
      const { folder } = await train(
        federation(defences, { ...FEDSGD, federation: { ...FEDSGD.federation, capture } }),
      );
      const update = tensorsOf(folder, `captured/client-${client}-round-${round}/update.safetensors`);
      return Object.values(update)[0]!.data;
    };
    const [first, again, other, later] = [
      await noised(1, 0),
      await noised(1, 0),
      await noised(2, 0),
      await noised(1, 1),
    ];
    expect(first).toEqual(again);
    const share = (a: Float32Array, b: Float32Array) =>
      a.filter((v, i) => Math.abs(v - b[i]!) < 1e-6).length / a.length;
    expect(share(first, other)).toBeLessThan(0.1);
    expect(share(first, later)).toBeLessThan(0.1);
  });

  it("says which epsilon the planned rounds come to, and takes the noise for one", async () => {
    const { record } = await train(federation([{ name: "dp-sgd", settings: { epsilon: 8 } }]));
    const [applied] = record.defences!;
    const { sigma, rate, rounds } = applied!.settings as Record<string, number>;
    expect(rate).toBe(1);
    expect(rounds).toBeGreaterThanOrEqual(3); // in at least three of the four rounds, in one of two batches each
    expect(rounds).toBeLessThanOrEqual(4);
    expect(epsilonOf({ sigma: sigma!, rate: 1, rounds: rounds!, delta: 1e-5 })).toBeCloseTo(8, 3);
    const entry = (name: string) => record.ledger.find(({ assumption }) => assumption === name)!;
    expect(entry("privacy").value).toMatch(
      /^epsilon 8\.00 at delta 0\.00001 for each image of the most exposed client/,
    );
    expect(entry("defence").value).toContain("dp-sgd (");
    const given = await train(federation([DP]));
    const expected = epsilonOf({ sigma: 0.5, rate: 1, rounds: rounds!, delta: 1e-5 });
    const told = given.record.ledger.find(({ assumption }) => assumption === "privacy")!;
    expect(told.value).toContain(`no meaningful epsilon (${expected.toPrecision(3)} `);
    expect(told.value).toContain("one image added or removed");
  });

  it("adaptive-dp's noise shrinks after three falls of the loss on public images, and the record says how often", async () => {
    const defences = [{ name: "adaptive-dp", settings: { sigma: 1e-4, clip: 5 } }];
    const { record } = await train({ ...federation(defences), length: 9, optimiser: { schedule: "constant" } });
    expect(record.defences![0]!.settings.decays).toBe(0);
    expect(record.results!.defences![0]!.settings.decays).toBeGreaterThanOrEqual(1);
  });

  it("that overflows under noise fails in its round and keeps the weights before", async () => {
    const { record, folder } = await train(federation([{ name: "gaussian-dp", settings: { sigma: 1e38, clip: 1e3 } }]));
    expect(record.status).toBe("failed");
    expect(record.failure).toMatch(/got NaN or infinity in round 1/);
    for (const { data } of Object.values(tensorsOf(folder, "weights.safetensors"))) {
      expect(data.every(Number.isFinite)).toBe(true);
    }
  });
});

describe("what a training refuses", () => {
  const spec = (defences: Defences, changes: TrainRequest = {}) => completeTrainSpec(federation(defences, changes));
  it.each<[string, Record<string, number>, RegExp]>([
    ["dp-sgd", { epsilon: 0 }, /dp-sgd epsilon: it must be a number above 0; got 0/],
    ["dp-sgd", { epsilon: -1 }, /dp-sgd epsilon.*got -1/],
    ["dp-sgd", { delta: 1 }, /dp-sgd delta: it must be a number above 0 and below 1; got 1/],
    ["gaussian-dp", { delta: 0 }, /gaussian-dp delta.*got 0/],
    ["gaussian-dp", { epsilon: 1 }, /classical bound of Gaussian noise holds for epsilon below 1 only; got 1/],
    ["dp-sgd", { clip: 0 }, /dp-sgd clip: it must be a number above 0; got 0/],
    ["soteria", { percentile: 101 }, /soteria percentile.*got 101/],
    ["soteria", { percentile: -1 }, /soteria percentile.*got -1/],
    ["secure-aggregation", {}, /train --defence secure-aggregation: it must change what a client's update adds/],
    ["selective-encryption", {}, /leaves the average as it is.*fedleak attack/],
    ["dpsgd", {}, /Did you mean "dp-sgd"/],
  ])("%s %j", (name, settings, complaint) => {
    expect(() => spec([{ name, settings }])).toThrow(complaint);
  });

  it("an order that makes no sense, and defences where nobody sends anything", () => {
    expect(() => spec([{ name: "sign" }, DP])).toThrow(/Name dp-sgd first/);
    expect(() => completeTrainSpec({ training: "centralised", federation: { defences: [DP] } })).toThrow(
      /train --defence: only a federation's clients/,
    );
  });

  it("each image's gradient under BatchNorm's batches, and an epsilon that no noise reaches, before a folder is made", async () => {
    const model = { name: "resnet10", options: { width: 1 } };
    await expect(train(federation([DP], { model }))).rejects.toThrow(/BatchNorm in train mode. Pass --bn-mode eval/);
    const tiny = [{ name: "dp-sgd", settings: { epsilon: 0.002 } }];
    expect(() => spec(tiny)).toThrow(/epsilon must be above what order/);
  });

  it("nothing twice: a spec completed again is the same", () => {
    const once = spec([{ name: "dp-sgd", settings: { epsilon: "3" } }]);
    expect(once.federation.defences[0]!.settings).toEqual({ epsilon: 3, delta: 1e-5, clip: 1, sigma: 0 });
    expect(completeTrainSpec(once)).toEqual(once);
  });
});

describe("what the defences of a training promise", () => {
  const promised = (defences: Defences, changes: TrainRequest = {}, buffers: readonly string[] = []) => {
    const spec = completeTrainSpec(
      federation(defences, { training: "fedsgd", ...changes, federation: { localSteps: 1, ...changes.federation } }),
    );
    const clients = [{ images: 160, rounds: 30, steps: 1, batchSize: 16 }];
    const planned = planDefences({ spec, model: { name: "mlp3", buffers } as never }, clients);
    return planned.assumptions.filter(({ assumption }) => assumption === "privacy").map(({ value }) => value);
  };
  const NOISED = { name: "gaussian-dp", settings: { sigma: 4 } };
  const SOTERIA = { name: "soteria" };

  it("is no epsilon where a later defence goes by the images themselves, and one where it comes before the noise", () => {
    const images = /^no epsilon for .*: soteria after it looks at the images themselves, without noise$/;
    expect(promised([{ name: "dp-sgd" }, SOTERIA])).toEqual([expect.stringMatching(images)]);
    expect(promised([NOISED, SOTERIA])).toEqual([expect.stringMatching(images)]);
    expect(promised([SOTERIA, NOISED])).toEqual([expect.stringMatching(/^epsilon|^no meaningful/)]);
    expect(promised([{ name: "dp-sgd", settings: { epsilon: 5 } }, { name: "sparsify" }])[0]).toMatch(/^epsilon 5\.00/);
    expect(link("soteria").defence.tells!({})).toMatch(/epsilon of a defence before it does not hold/);
  });

  it("is no epsilon where BatchNorm's statistics leave the client beside the noise", () => {
    const sends: TrainRequest = { batchNorm: "train" };
    expect(promised([NOISED], sends, ["mean"])[0]).toMatch(
      /^no epsilon for gaussian-dp: clients send BatchNorm's statistics/,
    );
    expect(promised([NOISED], { ...sends, federation: { bnBuffers: "local" } }, ["mean"])[0]).toMatch(
      /by the Rényi accountant/,
    );
    expect(promised([NOISED], { batchNorm: "eval" }, ["mean"])[0]).toMatch(/by the Rényi accountant/);
  });

  it("of gaussian-dp holds for all updates of a client, by its known noise, and says for which neighbours", () => {
    const sigma = classicalSigma(0.5, 1e-5);
    const [alone, replaced] = [sigma, sigma / 2].map((noise) =>
      epsilonOf({ sigma: noise, delta: 1e-5, rate: 1, rounds: 30 }),
    );
    expect(promised([{ name: "gaussian-dp" }])).toEqual([
      `epsilon ${alone!.toPrecision(3)} at delta 0.00001 for a client as a whole that sends 30 updates; sigma ${sigma.toPrecision(4)}, by the Rényi accountant; neighbours: one client added or removed (with another in its place the update moves by twice the clip: ${replaced!.toPrecision(3)})`,
    ]);
    expect(promised([{ name: "gaussian-dp", settings: { sigma: 0.01 } }])[0]).toMatch(/^no meaningful epsilon \(/);
  });
});

describe("exposures", () => {
  const client = (images: number, rounds: number, steps = 2) => ({
    images,
    rounds,
    steps,
    batchSize: Math.min(8, images),
  });

  it("count an image once an epoch, at the most exposed client: no amplification by sampling", () => {
    expect(exposureOf([client(80, 3), client(40, 2), client(4, 0), client(6, 1)])).toEqual({ releases: 3, updates: 3 });
    expect(exposureOf([client(80, 3), client(6, 2)])).toEqual({ releases: 4, updates: 3 }); // all six images in either step
    expect(exposureOf([client(80, 3, 30)])).toEqual({ releases: 9, updates: 3 }); // three epochs of ten batches
    expect(exposureOf([client(85, 3, 11)])).toEqual({ releases: 6, updates: 3 }); // one epoch and a batch of the next
  });

  it("count the updates of a client that is captured in rounds that it was not drawn in", () => {
    const rounds = Array.from({ length: 20 }, (_, i) => i);
    const spec = completeTrainSpec({
      ...{ training: "fedsgd", length: 20, batchSize: 16 },
      federation: { clients: 50, share: 0.1, defences: [DP], capture: { client: 3, rounds } },
    });
    const parts = Array.from({ length: 50 }, () => Array.from({ length: 40 }, (_, i) => i));
    const participations = participationsOf({ spec } as never, parts);
    expect(participations[3]!.rounds).toBe(20);
    expect(participations.reduce((sum, { rounds: own }) => sum + own, 0)).toBeLessThan(20 * 6);
    expect(exposureOf(participations)).toEqual({ releases: 20, updates: 20 });
  });
});
