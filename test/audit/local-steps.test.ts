import { describe, expect, test } from "vitest";
import { expandPlan } from "../../src/audit/compare/expand.ts";
import { explainAttack } from "../../src/audit/explain/explain.ts";
import { completePlan, completeSpec, type RunRequest } from "../../src/audit/index.ts";
import { ledgerOf } from "../../src/audit/ledger.ts";
import { mismatchedObservation } from "../../src/audit/mismatched.ts";
import { compileAttack, prepareTrial } from "../../src/audit/trial.ts";
import { versions } from "../../src/audit/versions.ts";
import { planOf } from "../../src/cli/compare-plan.ts";

const CLIENT = { batchSize: 2, localSteps: 3, localLearningRate: 0.2 } as const;
const SMALL: RunRequest = {
  model: { name: "mlp3", options: { hidden: 8 } },
  data: { size: 8 },
  client: CLIENT,
  threads: 1,
};
const trialOf = (request: RunRequest) => prepareTrial(completeSpec({ ...SMALL, ...request }));

/** The ledger's entries by name. */
async function ledgerFor(request: RunRequest) {
  const trial = await trialOf(request);
  const attack = await compileAttack(trial);
  await attack.release();
  return Object.fromEntries(ledgerOf(trial, attack, versions()).map((entry) => [entry.assumption, entry]));
}

describe("a client of several local steps", () => {
  test("trains on as many batches of images, all different, and the server knows how", async () => {
    const trial = await trialOf({});
    expect(new Set(trial.indices).size).toBe(6);
    expect(trial.truth.images.shape).toEqual([6, 3, 8, 8]);
    expect(trial.observation).toMatchObject({ batchSize: 6, local: { steps: 3, learningRate: 0.2 } });
    const slow = await trialOf({ client: { ...CLIENT, localLearningRate: 0.4 } });
    expect(slow.indices).toEqual(trial.indices);
    expect(slow.observation.update).not.toEqual(trial.observation.update);
    const { observation } = await mismatchedObservation(trial);
    expect(observation).toMatchObject({ batchSize: 6, local: trial.observation.local });
    expect(observation.update).not.toEqual(trial.observation.update);
  });

  test("of one step sends what it always sent, whatever the learning rate", async () => {
    const one = (client: RunRequest["client"]) => trialOf({ client: { batchSize: 3, ...client } });
    const [plain, told] = [await one({}), await one({ localSteps: 1, localLearningRate: 9 })];
    expect(plain.observation).not.toHaveProperty("local");
    expect(told.observation).toEqual(plain.observation);
  });
});

describe("the ledger", () => {
  test("tells the steps, who knows them, and what the attack takes them for", async () => {
    const attack = { name: "dlg", settings: { localModel: "unrolled" } };
    const { "local-steps": steps, "local-model": kind } = await ledgerFor({ attack });
    expect(steps).toMatchObject({
      value: "3 of SGD at learning rate 0.2, each on images of its own (3 × 2)",
      origin: "user",
    });
    expect(steps!.note).toMatch(/server knows this, not which image came when; the 3 steps are simulated/);
    expect(kind).toMatchObject({ value: "unrolled", origin: "user" });
    const blind = await ledgerFor({ attack, client: { ...CLIENT, grants: ["batch-size"] } });
    expect(blind["local-steps"]!.note).toMatch(/server does not know this; the update is taken for one gradient/);
    expect(blind["local-model"]!.note).toMatch(/no effect here/);
  });

  test("is silent about local models of one gradient, unless the user set one", async () => {
    const client = { batchSize: 2 };
    expect(await ledgerFor({ attack: { name: "dlg" }, client })).not.toHaveProperty("local-model");
    const asked = await ledgerFor({ attack: { name: "dlg", settings: { localModel: "unrolled" } }, client });
    expect(asked["local-model"]!.note).toMatch(/no effect here: no local steps are known/);
    expect(asked["local-steps"]!.value).toBe("1: the update is one gradient");
  });
});

test("compare has local steps as part of a setting, and the local model as a setting of the attack", async () => {
  const plan = await planOf({
    attacks: "dlg,dlg:local-model=unrolled",
    model: "lenet-sigmoid",
    setting: ["one", "four=local-steps:4,local-learning-rate:0.1"],
    seeds: 1,
  });
  const trials = expandPlan(completePlan(plan));
  expect(trials.map(({ spec }) => [spec.client.localSteps, spec.attack.settings.localModel])).toEqual([
    [1, undefined],
    [1, "unrolled"],
    [4, undefined],
    [4, "unrolled"],
  ]);
  expect(trials.at(-1)!.spec.client.localLearningRate).toBe(0.1);
});

describe("what cannot be", () => {
  test.each([
    [{ localSteps: 0 }, /spec client\.localSteps: it must be a whole number ≥ 1; got 0/],
    [{ localSteps: 2, localLearningRate: 0 }, /spec client\.localLearningRate: it must be a number > 0; got 0/],
    [{ locaLSteps: 2 }, /Did you mean "localSteps"\?/],
  ])("%j is refused", (client, words) => {
    expect(() => completeSpec({ client } as RunRequest)).toThrow(words);
  });

  test("more images than there are, and an explanation of several steps", async () => {
    await expect(trialOf({ client: { batchSize: 4, localSteps: 99 } })).rejects.toThrow(/got 396/);
    const plan = { options: { probes: 2, draws: 1, entries: 3 }, only: [], command: "explain", render: () => "" };
    await expect(explainAttack(completeSpec(SMALL), plan as never)).rejects.toThrow(/one gradient.*got 3 local steps/);
  });
});
