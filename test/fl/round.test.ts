import { describe, expect, it } from "vitest";
import {
  averaged,
  beginTraining,
  type ClientPlan,
  clientsOf,
  drawClients,
  handedOut,
  keptByClient,
  keptOf,
  movedStatistics,
  trainingStep,
  weightedMean,
} from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { sgd } from "../../src/optim/index.ts";
import { programThreads } from "../../src/runtime/index.ts";
import { float32, type Tensors } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";

const MODEL = buildModel("resnet10", { inputShape: [1, 8, 8], classes: 2, width: 2 });
const IMAGES = float32([12, 1, 8, 8], uniform(key(1), 12 * 64));
const take = async (numbers: readonly number[]) => ({
  images: float32(
    [numbers.length, 1, 8, 8],
    numbers.flatMap((i) => Array.from(IMAGES.data.slice(i * 64, (i + 1) * 64))),
  ),
  labels: numbers.map((i) => i % 2),
});
const PLAN: ClientPlan = {
  ...{ model: MODEL, mode: "train", batchSize: 4, localSteps: null, localEpochs: 2 },
  ...{ optimiser: sgd({ momentum: 0.9 }), device: "cpu", threads: 1 },
};
const TURN = { weights: initialise(MODEL, key(2)), count: 12, take, learningRate: 0.05, key: key(3) };
const vector = (...values: number[]) => ({ w: float32([values.length], values) });

describe("weightedMean", () => {
  it("of equal updates is the update", () => {
    const update = vector(0.1, -2.5e-8, 3e7);
    const mean = weightedMean([1, 7, 3].map((weight) => ({ tensors: update, weight })));
    expect(mean.w!.data).toEqual(update.w.data);
  });

  it("counts by weight", () => {
    const mean = weightedMean([
      { tensors: vector(0, 4), weight: 3 },
      { tensors: vector(8, 0), weight: 1 },
    ]);
    expect(Array.from(mean.w!.data)).toEqual([2, 3]);
  });

  it("refuses none, and models that differ", () => {
    expect(() => weightedMean([])).toThrow("at least one client");
    const shares = [vector(1), { v: vector(1).w }].map((tensors) => ({ tensors, weight: 1 }) as const);
    expect(() => weightedMean(shares as never)).toThrow('every client must send "w" with 1 numbers; got nothing');
  });
});

describe("drawClients", () => {
  it("draws different clients, others each round, the same from the same key", () => {
    const drawn = drawClients(20, 0.25, key(1), 4);
    expect(new Set(drawn).size).toBe(5);
    expect(drawn).toEqual([...drawn].sort((a, b) => a - b));
    expect(drawClients(20, 0.25, key(1), 4)).toEqual(drawn);
    expect(drawClients(20, 0.25, key(1), 5)).not.toEqual(drawn);
    expect(drawClients(20, 0.01, key(1), 0)).toHaveLength(1);
  });
});

describe("clients", { timeout: 60_000 }, () => {
  it("train as one machine does: one client's epochs are so many steps", async () => {
    const clients = clientsOf(PLAN);
    const { weights, batches, loss, seen } = await clients.train(TURN);
    expect(batches).toHaveLength(6); // two epochs of three batches
    expect(seen).toBe(24);
    expect(new Set(batches.slice(0, 3).flat()).size).toBe(12);
    const optimiser = sgd({ momentum: 0.9 });
    const program = await trainingStep({ model: MODEL, batchSize: 4, mode: "train", optimiser, threads: 1 });
    let state = beginTraining(MODEL, optimiser, TURN.weights);
    let sum = 0;
    for (const numbers of batches) {
      const made = await program.advance(state, await take(numbers), 0.05);
      state = made.state;
      sum += made.loss;
    }
    expect(weights).toEqual(state.weights);
    expect(loss).toBeCloseTo(sum / 6, 10);
    const again = await clients.train(TURN);
    expect(again.weights).toEqual(weights); // the memory begins at zero, nothing stays behind
    const other = await clients.train({ ...TURN, key: key(4) });
    expect(other.weights).not.toEqual(weights);
    await program.release();
    await clients.release();
  });

  it("with fewer images than a batch use all of them", async () => {
    const clients = clientsOf({ ...PLAN, localSteps: 2 });
    const { batches, seen } = await clients.train({ ...TURN, count: 3 });
    expect(batches.map((numbers) => [...numbers].sort())).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(seen).toBe(6);
    await clients.release();
  });

  it("at work at once, of more batch sizes than are kept, come to what each comes to alone, bit for bit", async () => {
    const threads = programThreads(2);
    const plan: ClientPlan = { ...PLAN, batchSize: 12, localSteps: 3 };
    const [beside, alone] = [clientsOf({ ...plan, beside: threads }), clientsOf(plan)];
    const turns = [2, 3, 4, 5, 6, 7, 3].map((count, i) => ({ ...TURN, count, key: key(i) }));
    const together = await Promise.all(turns.map((turn) => beside.train(turn)));
    for (const [i, turn] of turns.entries()) expect(together[i]).toEqual(await alone.train(turn));
    expect(await Promise.all(turns.map((turn) => alone.train(turn)))).toEqual(together); // no program is freed under a turn
    expect(TURN.weights).toEqual(initialise(MODEL, key(2))); // nothing of the server's was taken
    await Promise.all([beside.release(), alone.release()]);
    await threads.release();
  });

  it("of FedSGD send a gradient: over all images it is the mean of the parts", async () => {
    const mlp = buildModel("mlp3", { inputShape: [1, 8, 8], classes: 2, hidden: 4 });
    const clients = clientsOf({ ...PLAN, model: mlp, batchSize: 12 });
    const turn = { ...TURN, weights: initialise(mlp, key(2)) };
    const whole = await clients.gradient(turn);
    const half = (start: number) =>
      clients.gradient({ ...turn, count: 6, take: (numbers) => take(numbers.map((i) => start + i)) });
    const shares = [await half(0), await half(6)].map(({ gradient }) => ({ tensors: gradient!, weight: 6 }));
    const mean = weightedMean(shares);
    for (const [name, { data }] of Object.entries(whole.gradient!)) {
      data.forEach((v, i) => {
        expect(mean[name]!.data[i]!).toBeCloseTo(v, 6); // float32
      });
    }
    expect(whole.weights.params).toBe(turn.weights.params);
    await clients.release();
  });
});

describe("BatchNorm's tensors", () => {
  it("that are missing are named", () => {
    const statistics = { bn1: { mean: vector(0).w, variance: vector(1).w } };
    expect(() => movedStatistics({}, statistics, { bn1: 4 })).toThrow(
      'buffers must hold "bn1.running_mean"; got nothing',
    );
  });

  const names = (rule: Parameters<typeof keptByClient>[1]) => keptByClient(MODEL, rule);

  it("are kept as the rule says", () => {
    expect(names("averaged")).toEqual([]);
    expect(names("local")).toEqual(MODEL.buffers.map(({ name }) => name));
    expect(names("local-layers")).toContain("layer2.0.shortcut.1.weight");
    expect(names("local-layers")).toContain("bn1.running_var");
    expect(names("local-layers")).not.toContain("conv1.weight");
    expect(names("local-layers")).not.toContain("fc.bias");
  });

  it.each(["averaged", "local", "local-layers"] as const)("%s: what is kept stays out of the average", (rule) => {
    const server = initialise(MODEL, key(1));
    const moved = (tensors: Tensors<"float32">, by: number) =>
      Object.fromEntries(
        Object.entries(tensors).map(([name, t]) => [
          name,
          float32(
            t.shape,
            t.data.map((v) => v + by),
          ),
        ]),
      );
    const outcome = (by: number) => ({
      outcome: {
        ...{ loss: 1, correct: 1, seen: 1, finite: true, batches: [[0]] },
        weights: { params: moved(server.params, by), buffers: moved(server.buffers, by) },
      },
      images: 5,
    });
    const after = averaged(server, [outcome(1), outcome(3)], MODEL, rule);
    const step = (name: string) =>
      (after.params[name] ?? after.buffers[name])!.data[0]! - (server.params[name] ?? server.buffers[name])!.data[0]!;
    expect(step("conv1.weight")).toBeCloseTo(2, 5);
    expect(step("bn1.weight")).toBeCloseTo(rule === "local-layers" ? 0 : 2, 5);
    expect(step("bn1.running_mean")).toBeCloseTo(rule === "averaged" ? 2 : 0, 5);
    const own = keptOf(outcome(1).outcome.weights, MODEL, rule);
    const begins = handedOut(after, own);
    expect(begins.buffers["bn1.running_mean"]!.data[0]).toBeCloseTo(rule === "averaged" ? 2 : 1, 5);
    expect(Object.keys(begins.params)).toEqual(Object.keys(server.params));
  });
});
