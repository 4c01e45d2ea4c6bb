import { expect, test } from "vitest";
import { type ClientPlan, clientsOf, weightedMean } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { sgd } from "../../src/optim/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, split, uniform } from "../../src/util/index.ts";

const MODEL = buildModel("mlp3", { inputShape: [1, 4, 4], classes: 3, hidden: 6 });
const WEIGHTS = initialise(MODEL, key(1));
const RATE = 0.3;
const PLAN: ClientPlan = {
  ...{ model: MODEL, mode: "train", batchSize: 4, localSteps: 1, localEpochs: 1 },
  ...{ optimiser: sgd(), device: "cpu", threads: 1 },
};

/** A client's turn on four images of its own, all in one batch. */
const turnOf = (client: number) => ({
  ...{ weights: WEIGHTS, count: 4, learningRate: RATE, key: split(key(2), client) },
  take: async (numbers: readonly number[]) => ({
    images: float32(
      [numbers.length, 1, 4, 4],
      numbers.flatMap((i) => [...uniform(split(split(key(3), client), i), 16)]),
    ),
    labels: numbers.map((i) => (i + client) % 3),
  }),
});

test("with one local step of plain SGD FedAvg is FedSGD: the mean of the weights is a step along the mean gradient", async () => {
  const clients = clientsOf(PLAN);
  const turns = [0, 1, 2].map(turnOf);
  const trained = [];
  const gradients = [];
  for (const turn of turns) {
    trained.push({ tensors: (await clients.train(turn)).weights.params, weight: 4 });
    gradients.push({ tensors: (await clients.gradient(turn)).gradient!, weight: 4 });
  }
  await clients.release();
  const [mean, gradient] = [weightedMean(trained), weightedMean(gradients)];
  let moved = 0;
  for (const [name, { data }] of Object.entries(WEIGHTS.params)) {
    data.forEach((w, i) => {
      expect(mean[name]!.data[i]!).toBeCloseTo(w - RATE * gradient[name]!.data[i]!, 6); // weights below 1 in float32
      moved = Math.max(moved, Math.abs(RATE * gradient[name]!.data[i]!));
    });
  }
  expect(moved).toBeGreaterThan(1e-2); // the step is far above that tolerance
});
