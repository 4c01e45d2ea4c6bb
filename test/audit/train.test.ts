import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { completeTrainSpec, parseTrainRecord, resumeTraining, type TrainRequest } from "../../src/audit/index.ts";
import { openTrainingData, publicSplit } from "../../src/audit/train/data.ts";
import { weightsFrom } from "../../src/audit/weights.ts";
import { shareInterval95 } from "../../src/metrics/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { readSafetensors } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";
import { cifarFile, small, train } from "./train-fixture.ts";

const FILE = cifarFile(120);
const bytesOf = (folder: string, file = "weights.safetensors") => readFileSync(join(folder, file));
const tensorsOf = (folder: string) => readSafetensors(bytesOf(folder), "weights").tensors;

const RESNET: TrainRequest["model"] = { name: "resnet10", options: { width: 1 } };
const FEDERATION: TrainRequest = {
  training: "fedavg",
  length: 4,
  federation: { clients: 3, share: 0.7, localSteps: 2 },
};

/** Every kind of training, with what it changes over rounds. */
const KINDS: readonly (readonly [string, TrainRequest])[] = [
  ["centralised", { optimiser: { momentum: 0.9 } }],
  ["fedavg", FEDERATION],
  [
    "fedsgd with the server's momentum",
    { ...FEDERATION, training: "fedsgd", federation: { clients: 3 }, optimiser: { momentum: 0.9 } },
  ],
  [
    "fedavg, clients that keep their BatchNorm layers",
    { ...FEDERATION, model: RESNET, federation: { ...FEDERATION.federation, bnBuffers: "local-layers" } },
  ],
];

describe("a training", { timeout: 60_000 }, () => {
  it("ends with weights that fedleak attack reads, a record and an accuracy far over chance", async () => {
    const { folder, record } = await train(small(FILE, { length: 60, optimiser: { momentum: 0.9 } }));
    expect(record.status).toBe("finished");
    expect(parseTrainRecord(bytesOf(folder, "record.json").toString(), "record.json")).toEqual(record);
    const model = buildModel("mlp3", { inputShape: [3, 32, 32], classes: 10, hidden: 16 });
    expect(Object.keys(weightsFrom(tensorsOf(folder), model, "w").params)).toHaveLength(model.params.length);
    expect(record.results!.open.images).toBe(12);
    const { accuracy, interval95, majorityFloor } = record.results!.open;
    expect(accuracy).toBeGreaterThan(0.5); // chance is 0.1
    expect(interval95).toEqual(shareInterval95(accuracy, 12));
    expect(majorityFloor).toBeGreaterThanOrEqual(2 / 12); // twelve images of ten classes
    const ledger = Object.fromEntries(record.ledger.map(({ assumption, value }) => [assumption, value]));
    expect(ledger.accuracy).toMatch(
      /^on the public split of 12 images, all of them along .*; no test set was given; one /,
    );
    expect(ledger["majority-floor"]).toBe(`${(100 * majorityFloor!).toFixed(1)} % of the public split`);
    expect(record.curve.at(-1)!.loss).toBeLessThan(record.curve[0]!.loss);
    expect(record.curve.filter(({ accuracy }) => accuracy !== undefined)).toHaveLength(10);
    expect(record.curve.at(-1)!.learningRate).toBeLessThan(record.curve[0]!.learningRate / 100); // cosine
  });

  it.each(KINDS.slice(0, 3))("%s: the same spec gives the same bits, another seed others", async (_, changes) => {
    const request = small(FILE, { length: 3, ...changes });
    const [first, second] = [await train(request), await train(request)];
    expect(bytesOf(first.folder)).toEqual(bytesOf(second.folder));
    expect(tensorsOf((await train({ ...request, seed: 1 })).folder)).not.toEqual(tensorsOf(first.folder));
  });

  it.each(KINDS)("%s: stopped and resumed it ends with the same bits", async (_, changes) => {
    const request = small(FILE, { checkpointEvery: 2, evaluateEvery: 2, length: 4, ...changes });
    const whole = await train(request);
    const stop = new AbortController();
    const onEvent = (event: { readonly kind: string; readonly done?: number }) => {
      if (event.kind === "advance" && event.done === 3) stop.abort();
    };
    const part = await train(request, { signal: stop.signal, onEvent });
    expect(part.record.status).toBe("interrupted");
    const lost = `${part.folder}-lost`;
    cpSync(part.folder, lost, { recursive: true, filter: (file) => !file.includes("state.") });
    await expect(resumeTraining(lost, { render: () => "" })).rejects.toThrow("got no readable state.safetensors");
    const rest = await resumeTraining(part.folder, { render: () => "<html>" });
    expect(rest.record.status).toBe("finished");
    const resumed = rest.record.ledger.find(({ assumption }) => assumption === "resumed");
    expect(resumed).toMatchObject({
      value: expect.stringMatching(/^at (step|round) 3$/),
      note: expect.stringContaining("the same versions"),
    });
    expect(bytesOf(part.folder)).toEqual(bytesOf(whole.folder));
    const told = (record: typeof rest.record) => record.curve.map(({ seconds: _seconds, ...point }) => point);
    expect(told(rest.record)).toEqual(told(whole.record));
    await expect(resumeTraining(part.folder, { render: () => "" })).rejects.toThrow("got a finished one");
  });

  it.each(["fedavg", "fedsgd"] as const)(
    "%s comes to the same bits on two threads, where two clients work side by side, as on one",
    async (training) => {
      const federation = {
        clients: 5,
        share: 0.6,
        localSteps: training === "fedavg" ? 3 : null,
        bnBuffers: "local",
      } as const;
      const capture = { client: 4, rounds: [0, 1, 2, 3] }; // in some round, it is captured only
      const request = {
        ...FEDERATION,
        training,
        model: RESNET,
        federation: { ...federation, capture },
        optimiser: { momentum: 0.9 },
      };
      const [one, two] = [await train(small(FILE, request)), await train(small(FILE, { ...request, threads: 2 }))];
      expect(two.record.status).toBe("finished");
      expect(bytesOf(two.folder)).toEqual(bytesOf(one.folder));
      expect(two.record.curve.map(({ loss }) => loss)).toEqual(one.record.curve.map(({ loss }) => loss));
    },
  );

  it("that diverges fails with a reason and keeps the state before it", async () => {
    const { folder, record } = await train(small(FILE, { optimiser: { learningRate: 1e30, schedule: "constant" } }));
    expect(record.status).toBe("failed");
    expect(record.failure).toMatch(/must stay finite; got NaN or infinity in step \d+\. Lower --lr/);
    for (const { data } of Object.values(tensorsOf(folder)))
      expect(Array.from(data as Float32Array).every(Number.isFinite)).toBe(true);
    await expect(resumeTraining(folder, { render: () => "" })).rejects.toThrow("got a failed one");
  });

  it("whose weights stay finite and overflow on the public images fails with the remedy, and is not left running", async () => {
    const { folder, record } = await train({
      ...small(FILE, { length: 6, batchSize: 4, evaluateEvery: 1 }),
      model: { name: "mlp3", options: { hidden: 8 } },
      optimiser: { learningRate: 1e18, schedule: "constant", weightDecay: 0 },
    });
    expect(record.status).toBe("failed");
    expect(record.failure).toMatch(/must stay finite; got NaN or infinity .*\. Lower --lr/);
    expect(parseTrainRecord(bytesOf(folder, "record.json").toString(), "record.json")).toEqual(record);
    for (const { data } of Object.values(tensorsOf(folder))) expect(data.every(Number.isFinite)).toBe(true);
  });

  it.each(["fedavg", "fedsgd"] as const)("%s that diverges fails in its round", async (training) => {
    const optimiser = { learningRate: 1e30, schedule: "constant" } as const;
    const { folder, record } = await train(small(FILE, { training, federation: { clients: 3 }, optimiser }));
    expect(record.failure).toMatch(/got NaN or infinity in round \d+/);
    for (const { data } of Object.values(tensorsOf(folder))) {
      expect(Array.from(data as Float32Array).every(Number.isFinite)).toBe(true);
    }
  });

  it("clips gradients: a step is never longer than learning rate × norm", async () => {
    const moved = async (clip: number | null) => {
      const optimiser = { learningRate: 1, weightDecay: 0, clip } as const;
      const { folder } = await train(small(FILE, { length: 1, optimiser }));
      const after = tensorsOf(folder);
      const before = readSafetensors(bytesOf(folder, "state.previous.safetensors"), "state").tensors;
      const squares = Object.entries(after).map(([name, { data }]) => {
        const was = before[`param.${name}`]!.data as Float32Array;
        return (data as Float32Array).reduce((sum, v, i) => sum + (v - was[i]!) ** 2, 0);
      });
      return Math.sqrt(squares.reduce((a, b) => a + b));
    };
    expect(await moved(0.01)).toBeCloseTo(0.01, 5); // float32 weights
    expect(await moved(null)).toBeGreaterThan(0.1);
    expect(() => completeTrainSpec({ optimiser: { clip: 0 } })).toThrow("a number > 0 or null; got 0");
  });

  it("goes on from given weights, of the same model only", async () => {
    const first = await train(small(FILE));
    const weights = join(first.folder, "weights.safetensors");
    const more = await train(small(FILE, { model: { name: "mlp3", options: { hidden: 16 }, weights }, length: 1 }));
    expect(more.record.curve[0]!.loss).toBeLessThan(first.record.curve[0]!.loss);
    const other = train(small(FILE, { model: { name: "mlp3", options: { hidden: 8 }, weights } }));
    await expect(other).rejects.toThrow("of another shape");
  });

  it("measures a test set, and trains on several files as one", async () => {
    const test = cifarFile(30, 2);
    const { record } = await train(small(FILE, { data: { name: "cifar10", paths: [FILE, cifarFile(50, 3)], test } }));
    expect(record.results!.test).toMatchObject({ images: 30, majorityFloor: 0.1 });
    expect(record.ledger.find(({ assumption }) => assumption === "majority-floor")!.value).toMatch(
      /, 10\.0 % of the test/,
    );
    expect(record.data.closed + record.data.open).toBe(170);
  });

  it("refuses what cannot be trained, and leaves nothing behind", async () => {
    await expect(train(small(FILE, { batchSize: 200 }))).rejects.toThrow(
      "from 1 to 108, the number of images; got 200",
    );
    const many = small(FILE, { ...FEDERATION, federation: { clients: 200 } });
    await expect(train(many)).rejects.toThrow("each of the 200 clients must have an image; got 108 images");
    const skew = { clients: 4, partition: { name: "label-skew", classesPerClient: 11 } } as const;
    await expect(train(small(FILE, { ...FEDERATION, federation: skew }))).rejects.toThrow("at most 10, the classes");
    const missing = train(small("/nowhere/data.bin"));
    await expect(missing).rejects.toThrow("file /nowhere/data.bin");
    const used = await train(small(FILE, { length: 1 }));
    const before = readdirSync(used.folder).sort();
    await expect(train(small(FILE), {}, used.folder)).rejects.toThrow("must not exist yet or must be empty");
    expect(readdirSync(used.folder).sort()).toEqual(before);
  });

  it("goes on from the checkpoint before, when the last one is damaged", async () => {
    const request = small(FILE, { checkpointEvery: 2, length: 6 });
    const whole = await train(request);
    const stop = new AbortController();
    const onEvent = (event: { readonly kind: string; readonly done?: number }) => {
      if (event.kind === "advance" && event.done === 5) stop.abort();
    };
    const part = await train(request, { signal: stop.signal, onEvent });
    rmSync(join(part.folder, "state.safetensors"));
    await resumeTraining(part.folder, { render: () => "<html>" });
    expect(bytesOf(part.folder)).toEqual(bytesOf(whole.folder));
    expect(existsSync(join(part.folder, "report.html"))).toBe(true);
  });
});

describe("completeTrainSpec", () => {
  it("names what is wrong", () => {
    expect(() => completeTrainSpec({ lenght: 3 } as never)).toThrow('Did you mean "length"?');
    expect(() => completeTrainSpec({ batchSize: 0 })).toThrow("train batchSize: it must be a whole number ≥ 1; got 0");
    expect(() => completeTrainSpec({ federation: { partition: { name: "dirichet" as never } } })).toThrow(
      'Did you mean "dirichlet"?',
    );
    expect(() => completeTrainSpec({ federation: { share: 1.5 } })).toThrow("a number over 0, at most 1; got 1.5");
    expect(() => completeTrainSpec({ data: { name: "cifar10" } })).toThrow("cifar10 needs a path");
    expect(() => completeTrainSpec({ federation: { capture: { client: 100, rounds: [0] } } })).toThrow(
      "0 to 99; got 100",
    );
    expect(() => completeTrainSpec({ federation: { capture: { client: 1, rounds: [100] } } })).toThrow(
      "0 to 99; got 100",
    );
    expect(() => completeTrainSpec({ training: "fedsgd", federation: { localSteps: 2 } })).toThrow(
      "Use --algorithm fedavg",
    );
    expect(() => completeTrainSpec({ training: "fedsgd", federation: { bnBuffers: "local-layers" } })).toThrow(
      "--bn-buffers",
    );
  });

  it("chooses α by the partition", () => {
    const alphaOf = (name: "dirichlet" | "quantity-skew", alpha?: number) =>
      completeTrainSpec({ federation: { partition: { name, alpha } } }).federation.partition.alpha;
    expect([alphaOf("dirichlet"), alphaOf("quantity-skew"), alphaOf("dirichlet", 3)]).toEqual([0.5, 2, 3]);
  });
});

describe("publicSplit", () => {
  it("cuts the images in two, by the key, with at least one in each part", () => {
    const { open, closed } = publicSplit(50, 0.1, key(1));
    expect(open).toHaveLength(5);
    expect([...open, ...closed].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(publicSplit(50, 0.1, key(2)).open).not.toEqual(open);
    expect(publicSplit(2, 0.01, key(1)).open).toHaveLength(1);
    expect(() => publicSplit(1, 0.5, key(1))).toThrow("got 1");
  });
});

describe("openTrainingData", () => {
  it("numbers the images of several files through", async () => {
    const other = cifarFile(7, 5);
    const data = await openTrainingData({ name: "cifar10", paths: [FILE, other], size: null });
    const alone = await openTrainingData({ name: "cifar10", paths: [other], size: null });
    expect(data.labels).toHaveLength(127);
    const [joined, single] = [await data.take([123, 0]), await alone.take([3])];
    expect(joined.labels).toEqual([3, 0]);
    expect(joined.images.data.slice(0, 3072)).toEqual(single.images.data);
  });
});
