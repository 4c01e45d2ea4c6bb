import { describe, expect, test } from "vitest";
import { completeSettings, findAttack } from "../../src/attacks/index.ts";
import { rowOf } from "../../src/audit/compare/row.ts";
import { completePlan, expandPlan, parseComparison, type TableLine, tableOf } from "../../src/audit/index.ts";
import { lanes } from "../../src/audit/lanes.ts";
import { prepareTrial } from "../../src/audit/trial.ts";
import { fakeComparison, PLAN } from "../report/compare-fixture.ts";
import { fakeRun } from "../report/fixture.ts";

const REQUEST = {
  settings: [
    { name: "plain", model: { name: "lenet-sigmoid" }, data: { size: 8 } },
    { name: "wide", model: { name: "mlp3", options: { hidden: 8 } }, data: { size: 8 } },
  ],
  attacks: [{ name: "inverting-gradients" }, { name: "fedleak-release", settings: { generatorChannels: 4 } }],
  seeds: 2,
  batches: [1, { size: 2, evaluations: 40 }],
  evaluations: 30,
};

describe("a plan", () => {
  test("is a trial for every setting, batch size, seed and attack, each with a folder of its own", () => {
    const trials = expandPlan(completePlan(REQUEST));
    expect(trials).toHaveLength(16);
    expect(new Set(trials.map(({ id }) => id)).size).toBe(16);
    expect(trials.slice(0, 3).map(({ id }) => id)).toEqual([
      "plain-b1-inverting-gradients-s0",
      "plain-b1-fedleak-release-generatorchannels-4-s0",
      "plain-b1-inverting-gradients-s1",
    ]);
    expect(trials.at(-1)).toMatchObject({ setting: "wide", batchSize: 2, seed: 1, evaluations: 40 });
    expect(trials.at(-1)!.spec).toMatchObject({ client: { batchSize: 2 }, seed: 1, model: { name: "mlp3" } });
  });

  test("gives the prior of a setting to its attacks", () => {
    const settings = [{ name: "a", prior: "/p" }, { name: "b" }];
    const priors = expandPlan(completePlan({ ...REQUEST, settings, seeds: 1, batches: [2] })).map(
      ({ spec }) => spec.attack.prior,
    );
    expect(priors).toEqual(["/p", "/p", null, null]);
  });

  test("completed again is the same plan", () => {
    const plan = completePlan(REQUEST);
    expect(completePlan(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
  });

  test("gives every attack the same evaluations, whatever its iterations cost or its preset says", () => {
    const trials = expandPlan(
      completePlan({ ...REQUEST, attacks: [{ name: "inverting-gradients" }, { name: "fedleak" }] }),
    );
    for (const { spec, evaluations } of trials) {
      const settings = completeSettings(findAttack(spec.attack.name), spec.attack.settings as never);
      const cost = settings.gamma > 0 ? 2 : 1; // the look-ahead is a second evaluation
      expect(settings.iterations * cost).toBe(evaluations);
    }
    expect(new Set(trials.map(({ evaluations }) => evaluations))).toEqual(new Set([30, 40]));
  });

  test("shows all attacks of a seed the same batch and weights, and another seed others", async () => {
    const trials = expandPlan(completePlan({ ...REQUEST, batches: [2] })).filter(({ setting }) => setting === "plain");
    const prints = await Promise.all(trials.map(async ({ spec }) => (await prepareTrial(spec)).inputsPrint));
    const [a0, b0, a1, b1] = prints;
    expect([b0, b1]).toEqual([a0, a1]);
    expect(a1).not.toBe(a0);
  });

  test.each([
    ["an unknown attack", { attacks: [{ name: "fedlek" }] }, /got "fedlek". Did you mean "fedleak"/],
    [
      "auto",
      { attacks: [{ name: "fedleak" }, { name: "auto" }] },
      /plan attack auto: a line of the table must be one attack, .*got auto, which chooses for each .*among linear-leak, r/,
    ],
    [
      "an unknown setting of an attack",
      { attacks: [{ name: "fedleak", settings: { gama: 1 } }] },
      /Did you mean "gamma"/,
    ],
    ["a budget of one attack's own", { attacks: [{ name: "fedleak", settings: { evaluations: 9 } }] }, /same budget/],
    ["no attack", { attacks: [] }, /plan attacks: it must be a list of attacks; got \[\]/],
    ["no seed", { seeds: 0 }, /plan seeds: .*got 0/],
    ["a seed twice", { seeds: [1, 1] }, /plan seeds: each must be there once; got "1" twice/],
    ["settings of one name", { settings: [{ name: "a" }, { name: "a" }] }, /plan settings: .*got "a" twice/],
    ["attacks of one label", { attacks: [{ name: "fedleak" }, { name: "fedleak" }] }, /got "fedleak" twice.*"as"/],
    ["an unknown reference", { reference: "fedleak-releas" }, /reference .*got "fedleak-releas"/],
    ["an unknown entry", { seds: 3 }, /got "seds". Did you mean "seeds"/],
    ["an unknown entry of a setting", { settings: [{ name: "a", modle: {} }] }, /got "modle". Did you mean "model"/],
    ["what is the plan's in a setting", { settings: [{ name: "a", seed: 1 }] }, /setting a: .*got seed/],
    ["a batch size in a setting", { settings: [{ name: "a", client: { batchSize: 2 } }] }, /got client\.batchSize/],
    [
      "labels that make one folder",
      {
        attacks: [
          { name: "fedleak", as: "a-b" },
          { name: "fedleak", as: "a b" },
        ],
      },
      /folder of its own/,
    ],
  ])("refuses %s", (_, change, words) => {
    expect(() => expandPlan(completePlan({ ...REQUEST, ...change }))).toThrow(words);
  });
});

describe("the table", () => {
  const { table } = fakeComparison();
  const line = (attack: string): TableLine => table.find((found) => found.attack === attack)!;

  test("has the means over seeds and images, the highest first", () => {
    expect(table.map(({ attack }) => attack)).toEqual([
      "fedleak-release",
      "inverting-gradients",
      "fedleak:gamma=0,tv=0.1",
    ]);
    expect(line("fedleak-release")).toMatchObject({
      psnrDb: { oneToOne: 19, manyToOne: 20 }, // (20 + 22 + 18 + 16) / 4
      floorDb: 15,
      leakageDb: 4,
      labels: { granted: false, countAccuracy: 0.5 },
      evaluations: 100,
      seconds: 10,
      trials: { planned: 2, scored: 2, failed: 0 },
    });
  });

  test("ranks on the seeds that all were scored on: an easy batch alone brings nobody forward", () => {
    const rows = fakeComparison().rows.map((row) =>
      row.attack === "fedleak-release" && row.seed === 0
        ? { ...row, status: "pending" as const, result: undefined }
        : row,
    );
    const third = rows.filter(({ attack }) => !attack.startsWith("fedleak:")); // without the one that has other seeds
    const [first, second] = tableOf({ ...PLAN, attacks: PLAN.attacks.slice(0, 2) }, third);
    expect(first!.attack).toBe("fedleak-release"); // 17 to 15 on seed 1, though 17 to 17 over all of each
    expect(first!.lead).toMatchObject({ over: "inverting-gradients", meanDb: 2, seeds: 1 }); // (4 + 0) / 2
    expect(second!.lead).toBeUndefined();
  });

  test("takes the difference to the reference image by image", () => {
    const { difference } = line("fedleak-release");
    expect(difference).toMatchObject({ meanDb: 2, seeds: 2 }); // (3 + 1 + 4 + 0) / 4
    const [low, high] = difference!.interval95Db!;
    expect(low).toBeGreaterThanOrEqual(0); // no resample leaves the values' range, 0 to 4
    expect(high).toBeLessThanOrEqual(4);
    expect(low).toBeLessThan(2);
    expect(high).toBeGreaterThan(2);
    expect(line("inverting-gradients").difference).toBeNull();
  });

  test("keeps failed trials: counted, with the score of the last finite iterate where there is one", () => {
    const failed = line("fedleak:gamma=0,tv=0.1");
    expect(failed.trials).toEqual({ planned: 2, scored: 1, failed: 2 });
    expect(failed.psnrDb!.oneToOne).toBe(10);
    expect(failed.difference).toMatchObject({ meanDb: -9, seeds: 1 }); // of seed 0 alone: (9 − 17 + 11 − 21) / 2
  });

  test("is the same for the same rows, in any order", () => {
    expect(tableOf(PLAN, fakeComparison().rows.toReversed())).toEqual(table);
  });

  test("without any score says so", () => {
    const rows = fakeComparison().rows.map(({ result: _, failure: _f, ...row }) => ({
      ...row,
      status: "pending" as const,
    }));
    expect(tableOf(PLAN, rows).every(({ psnrDb, difference }) => psnrDb === null && difference === null)).toBe(true);
  });
});

describe("a row", () => {
  test("has the numbers of the trial's record, the highest floor, and the peeks by evaluations", async () => {
    const { record } = await fakeRun();
    const [trial] = expandPlan(PLAN);
    const { status, result } = rowOf(trial!, record);
    expect(status).toBe("finished");
    expect(result!.psnrDb.oneToOne).toEqual(record.results!.pairs.oneToOne.map(({ psnrDb }) => psnrDb));
    const floors = Object.values(record.results!.floors).map((floor) => floor!.psnrDb);
    expect(result!.floor.psnrDb).toBe(Math.max(...floors));
    expect(result!.curve.map(({ evaluations }) => evaluations).slice(0, 2)).toEqual([0, 200]); // two an iteration
    expect(result!.curve.at(-1)).toMatchObject({ evaluations: 6000, psnrDb: record.results!.psnrDb.oneToOne });
  });

  test("of a run that failed without a score tells why", async () => {
    const { record } = await fakeRun();
    const { results: _, ...rest } = record;
    const row = rowOf(expandPlan(PLAN)[0]!, { ...rest, status: "failed", failure: "it broke" });
    expect(row).toMatchObject({ status: "failed", failure: "it broke" });
    expect(row.result).toBeUndefined();
  });
});

describe("a comparison's file", () => {
  const text = JSON.stringify(fakeComparison());

  test("survives writing and reading", () => {
    expect(parseComparison(text, "c.json")).toEqual(fakeComparison());
  });

  test.each([
    ["half of it", text.slice(0, 100), /c\.json: a comparison must be JSON/],
    ["something else", "{}", /"format" must be "fedleak-comparison"; got none/],
    ["another version", text.replace('"version":1', '"version":9'), /"version" must be 1; got 9/],
    ["an impossible entry", text.replace('"status":"failed"', '"status":"lost"'), /rows\.\d\.status/],
  ])("is refused: %s", (_, broken, words) => {
    expect(() => parseComparison(broken, "c.json")).toThrow(words);
  });
});

describe("lanes", () => {
  test("does every item once, as many at once as it may", async () => {
    const [seen, peak] = [[] as number[], { now: 0, most: 0 }];
    await lanes([1, 2, 3, 4, 5], 2, undefined, async (item) => {
      peak.most = Math.max(peak.most, ++peak.now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      peak.now--;
      seen.push(item);
    });
    expect(seen.sort()).toEqual([1, 2, 3, 4, 5]);
    expect(peak.most).toBe(2);
  });

  test("stops at the signal, and at an error once all stand still", async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    await lanes([1, 2, 3], 1, stop.signal, async (item) => {
      seen.push(item);
      stop.abort();
    });
    expect(seen).toEqual([1]);
    let ended = false;
    const work = lanes([1, 2, 3], 2, undefined, async (item, signal) => {
      if (item === 1) throw new Error("broken");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended = true;
    });
    await expect(work).rejects.toThrow("broken");
    expect(ended).toBe(true);
  });
});
