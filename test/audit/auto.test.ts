import { expect, test } from "vitest";
import { chooseFor } from "../../src/audit/auto.ts";
import {
  BEST,
  chooseAttack,
  completeSpec,
  type RunEvent,
  type RunRequest,
  type RunSpec,
} from "../../src/audit/index.ts";
import { ledgerOf } from "../../src/audit/ledger.ts";
import { compileAttack, prepareTrial } from "../../src/audit/trial.ts";
import { versions } from "../../src/audit/versions.ts";
import type { Observation } from "../../src/fl/index.ts";
import { scrambled } from "../attacks/tiny.ts";

const MINUTE = 60_000;

/** A run that asks for a choice, on small photographs. */
function asking(request: RunRequest): RunSpec {
  const attack = { name: "auto", ...request.attack };
  return completeSpec({ data: { size: 16 }, threads: 1, ...request, attack });
}

const verdictOf = (spec: RunSpec, name: string) =>
  spec.attack.choice!.verdicts.find(({ attack }) => attack === name)?.verdict;

test("the closed form of a fully connected network is chosen, and explained in the ledger", async () => {
  const events: RunEvent[] = [];
  const asked = asking({ model: { name: "mlp3", options: { hidden: 32 } }, client: { batchSize: 1 } });
  const spec = await chooseAttack(asked, MINUTE, { onEvent: (event) => events.push(event) });
  expect(spec.attack.name).toBe("linear-leak");
  expect(verdictOf(spec, "linear-leak")).toMatch(
    /^taken, 1 of 1: .* \(cosine of a tensor at least 1\.0000, equations hold to \de-\d+\)$/,
  );
  expect(spec.attack.choice).toMatchObject({ budgetMs: MINUTE });
  expect(events.map((event) => event.kind === "stage" && event.text)).toContain("trying the closed form linear-leak");

  const trial = await prepareTrial(completeSpec(JSON.parse(JSON.stringify(spec)))); // as resume reads it
  expect(trial.spec.attack.choice).toEqual(spec.attack.choice);
  const attack = await compileAttack(trial);
  const entry = ledgerOf(trial, attack, versions()).find(({ assumption }) => assumption === "attack-choice");
  await attack.release();
  expect(entry).toMatchObject({ value: expect.stringContaining("linear-leak: taken"), origin: "our-choice" });
  expect(entry!.note).toContain("within 60 s");
});

test("one image through convolutions goes to the recursion, with a reason why not the first layer", async () => {
  const asked = asking({ model: { name: "lenet-sigmoid" }, data: { size: 8 }, client: { batchSize: 1 } });
  const spec = await chooseAttack(asked, MINUTE);
  expect(spec.attack.name).toBe("r-gap");
  expect(verdictOf(spec, "linear-leak")).toContain(
    "does not apply, the image does not go straight into a linear layer",
  );
});

const SEARCH = { settings: { generatorChannels: 4 } };
const RESNET: RunRequest = {
  attack: SEARCH,
  model: { name: "resnet10", options: { width: 2 } },
  data: { size: 8 },
  client: { batchSize: 2 },
};

const LENET: RunRequest = { ...RESNET, model: { name: "lenet-sigmoid" } };

test("where no closed form applies, the best search gets what fits into the budget", async () => {
  const spec = await chooseAttack(asking(RESNET), 10 * MINUTE);
  expect(spec.attack.name).toBe(BEST);
  expect(verdictOf(spec, "linear-leak")).toContain("does not go straight into a linear layer in resnet10");
  expect(verdictOf(spec, "r-gap")).toContain("it solves for one image, and the batch has 2");
  const { evaluations, generatorChannels } = spec.attack.settings as Record<string, number>;
  expect(generatorChannels).toBe(4); // what was asked for is kept
  expect(verdictOf(spec, BEST)).toContain(`up to ${evaluations} gradients`);
  const { settings } = await prepareTrial(spec);
  expect(settings.iterations).toBe(Math.min(1000, evaluations!)); // one gradient an iteration
});

test("more time allows more, never more than was asked for", async () => {
  const evaluationsIn = async (ms: number, settings = {}) => {
    const attack = { settings: { ...SEARCH.settings, ...settings } };
    return Number((await chooseAttack(asking({ ...LENET, attack }), ms)).attack.settings.evaluations);
  };
  const [short, long] = [await evaluationsIn(MINUTE), await evaluationsIn(100 * MINUTE)];
  expect(long).toBeGreaterThan(10 * short); // a hundred times the time, on a machine whose speed may vary
  expect(await evaluationsIn(100 * MINUTE, { evaluations: 40 })).toBe(40);
});

test("a closed form that applies but finds too little is not taken", async () => {
  const asked = asking({
    attack: SEARCH,
    model: { name: "mlp3", options: { hidden: 3 } }, // too few units for one to fire alone for each image
    data: { size: 8 },
    client: { batchSize: 6 },
  });
  const spec = await chooseAttack(asked, 10 * MINUTE);
  expect(spec.attack.name).toBe(BEST);
  expect(verdictOf(spec, "linear-leak")).toMatch(/^applies, but does not explain the update: /);
});

test("a closed form whose image does not explain the update is not taken: noise of strength 1", async () => {
  const asked = asking({
    attack: SEARCH,
    model: { name: "lenet-sigmoid" },
    data: { size: 8 },
    client: { batchSize: 1 },
  });
  const trial = await prepareTrial({ ...asked, attack: { ...asked.attack, name: BEST } });
  const choose = (observation: Observation) =>
    chooseFor({ ...trial, observation }, asked.attack.settings, () => 10 * MINUTE);
  expect((await choose(trial.observation)).name).toBe("r-gap");
  const { name, verdicts } = await choose(scrambled(trial.observation));
  expect(name).toBe(BEST);
  expect(verdicts[1]!.verdict).toMatch(/^applies, but does not explain the update: 1 of 1/);
});

test("a budget that is used up by choosing is an error that says so", async () => {
  await expect(chooseAttack(asking(LENET), 1)).rejects.toThrow(
    /^attack auto: the budget must allow one step of fedleak-plus; got 0\.0 s left after choosing\. Allow at least \d+ s more\.$/,
  );
});
