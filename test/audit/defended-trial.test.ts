import { describe, expect, test } from "vitest";
import { completeSpec, type RunRequest } from "../../src/audit/index.ts";
import { ledgerOf } from "../../src/audit/ledger.ts";
import { mismatchedObservation } from "../../src/audit/mismatched.ts";
import { compileAttack, prepareTrial } from "../../src/audit/trial.ts";
import { versions } from "../../src/audit/versions.ts";
import { defenceFrom } from "../../src/cli/defence-flag.ts";
import { clientGradientStep } from "../../src/fl/index.ts";

const SMALL: RunRequest = { model: { name: "mlp3", options: { hidden: 8 } }, data: { size: 8 }, threads: 1 };
const defended = (...defences: { name: string; settings?: Record<string, number> }[]) =>
  prepareTrial(completeSpec({ ...SMALL, client: { batchSize: 2, defences } }));

describe("a trial with defences", () => {
  test("shows the attack the defended update only, the same every time, another with another seed", async () => {
    const trial = await defended({ name: "gaussian-dp" }, { name: "sparsify", settings: { percent: 50 } });
    const { model, weights, truth } = trial;
    const plain = await clientGradientStep({ model, weights, ...truth, mode: "train" });
    const seen = JSON.stringify(trial.observation);
    for (const [name, { data }] of Object.entries(trial.observation.update)) {
      expect([...data].filter((value) => value === 0).length).toBeGreaterThanOrEqual(Math.floor(data.length / 2));
      expect(data).not.toEqual(plain.update[name]!.data);
      expect(seen).not.toContain(JSON.stringify(plain.update[name]!.data));
    }
    const again = await prepareTrial(completeSpec(JSON.parse(JSON.stringify(trial.spec))));
    expect(again.observation.update).toEqual(trial.observation.update);
    expect(again.specPrint).toBe(trial.specPrint);
    const mismatched = await mismatchedObservation(trial);
    expect(mismatched.observation.update).not.toEqual(trial.observation.update);
  });

  test("stores every setting in the spec", () => {
    const { client } = completeSpec({ client: { defences: [{ name: "gaussian-dp", settings: { clip: "2" } }] } });
    expect(client.defences).toEqual([
      { name: "gaussian-dp", settings: { epsilon: 0.5, delta: 1e-5, clip: 2, sigma: 0 } },
    ]);
  });

  test("complains about names, settings, and what a spec cannot hold", () => {
    const spec = (defences: unknown) => () => completeSpec({ client: { defences } } as RunRequest);
    expect(spec([{ name: "soteira" }])).toThrow(/Did you mean "soteria"/);
    expect(spec([{ name: "soteria", settings: { percentile: 101 } }])).toThrow(/soteria percentile.*got 101/);
    expect(spec([{ name: "sign" }, { name: "dp-sgd" }])).toThrow(/Name dp-sgd first/);
    expect(spec("soteria")).toThrow(/client.defences: it must be a list of objects/);
  });
});

describe("an adaptive attack on a trial with defences", () => {
  const trialOf = (grants: readonly ("batch-size" | "defence")[]) => {
    const attack = { name: "inverting-gradients", settings: { adaptive: true } };
    const client = { batchSize: 2, defences: [{ name: "gaussian-dp" }, { name: "sign" }], grants: [...grants] };
    return prepareTrial(completeSpec({ ...SMALL, attack, client }));
  };

  test("says in the ledger what it does about each defence, and that it was told of them", async () => {
    const trial = await trialOf(["batch-size", "defence"]);
    expect(trial.observation.defences?.map(({ name }) => name)).toEqual(["gaussian-dp", "sign"]);
    const attack = await compileAttack(trial);
    await attack.release();
    const ledger = ledgerOf(trial, attack, versions());
    const entry = ledger.find(({ assumption }) => assumption === "adaptive-attacker");
    expect(entry?.value).toMatch(/^gaussian-dp: .*known noise; sign: matches the signs$/);
    expect(ledger.find(({ assumption }) => assumption === "granted")?.value).toContain("defence");
  });

  test("is refused where the server was not told", async () => {
    const trial = await trialOf(["batch-size"]);
    expect(trial.observation).not.toHaveProperty("defences");
    await expect(compileAttack(trial)).rejects.toThrow(/must grant "defence".*got batch-size.*--grant defence/);
  });
});

test("a flag is a name, or a name with settings", () => {
  expect(defenceFrom("sign")).toEqual({ name: "sign", settings: {} });
  expect(defenceFrom("dp-sgd:epsilon=5, clip=1e-1")).toEqual({
    name: "dp-sgd",
    settings: { epsilon: "5", clip: "1e-1" },
  });
  for (const wrong of ["", ":a=1", "dp-sgd:", "dp-sgd:epsilon", "dp-sgd:a=1,a=2", "dp-sgd:=1", "dp-sgd:a=1,"]) {
    expect(() => defenceFrom(wrong)).toThrow(/--defence: it must be a name/);
  }
});
