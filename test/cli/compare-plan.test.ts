import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { completePlan, expandPlan } from "../../src/audit/index.ts";
import { parseAttacks, planOf, subjectOptions } from "../../src/cli/compare-plan.ts";
import { freshFolder } from "./fedleak.ts";

const TWO = { attacks: "inverting-gradients,fedleak:gamma=0" };

describe("lists of attacks", () => {
  test.each([
    [
      "a,b",
      [
        { name: "a", settings: {} },
        { name: "b", settings: {} },
      ],
    ],
    [
      "a:label-learning-rate=0.1,tv=1e-5, b",
      [
        { name: "a", settings: { labelLearningRate: "0.1", tv: "1e-5" } },
        { name: "b", settings: {} },
      ],
    ],
    [
      "a:gamma=0,a",
      [
        { name: "a", settings: { gamma: "0" } },
        { name: "a", settings: {} },
      ],
    ],
  ])("%s", (text, attacks) => {
    expect(parseAttacks(text)).toEqual(attacks);
  });
});

describe("flags", () => {
  test("make a plan of one setting", async () => {
    const plan = await planOf({
      ...TWO,
      seeds: 2,
      seed: 5,
      batches: "4,8:600",
      model: "mlp3",
      hidden: 4,
      grant: "labels",
      prior: "/p",
    });
    expect(plan).toMatchObject({
      settings: [
        {
          name: "default",
          model: { name: "mlp3", options: { hidden: 4 } },
          client: { grants: ["batch-size", "local-schedule", "labels"] },
          prior: "/p",
        },
      ],
      attacks: [{ as: "inverting-gradients" }, { as: "fedleak:gamma=0", settings: { gamma: "0" } }],
      seeds: [5, 6],
      batches: [
        { size: 4, evaluations: 300 },
        { size: 8, evaluations: 600 },
      ],
      reference: "inverting-gradients",
    });
  });

  test("about the data, the model and the client are those of attack", () => {
    const names = subjectOptions().map((option) => option.attributeName());
    for (const name of ["images", "size", "model", "weights", "bnMode", "grant", "prior"])
      expect(names).toContain(name);
    for (const name of ["batch", "attack", "seed", "threads", "iterations", "peek"]) expect(names).not.toContain(name);
  });

  test("make several settings, each with what is given for all and its own over it", async () => {
    const setting = ["a=activation:sigmoid,grant:labels+bn-statistics", "b=mnist:/m,bn-mode:eval", "c"];
    const { settings } = await planOf({ ...TWO, images: "/photos", activation: "relu", setting });
    expect(settings.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(settings[0]).toMatchObject({
      model: { options: { activation: "sigmoid" } },
      data: { name: "image-folder", path: "/photos" },
      client: { grants: ["batch-size", "local-schedule", "labels", "bn-statistics"] },
    });
    expect(settings[1]).toMatchObject({ data: { name: "mnist", path: "/m" }, client: { batchNorm: "eval" } });
    expect(settings[2]).toMatchObject({ model: { options: { activation: "relu" } } });
  });

  test("spread the images over clients, each setting in its own way; a plan read again is the same", async () => {
    const setting = [
      "one-class=partition:label-skew,classes-per-client:1",
      "smooth=partition:feature-skew,client:0",
      "skewed=partition:dirichlet,alpha:0.1,clients:3",
      "quantity=partition:quantity-skew",
    ];
    const plan = await planOf({ ...TWO, clients: 5, setting });
    expect(completePlan(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
    const firsts = expandPlan(plan).filter(({ seed, attack }) => seed === 0 && attack === "inverting-gradients");
    expect(firsts.map(({ spec }) => spec.data)).toMatchObject([
      {
        draw: "uniform",
        partition: { name: "label-skew", classesPerClient: 1, clients: 5, client: null },
      },
      { draw: "uniform", partition: { name: "feature-skew", clients: 5, client: 0 } },
      { partition: { name: "dirichlet", alpha: 0.1, clients: 3 } },
      { partition: { name: "quantity-skew", alpha: 2, clients: 5 } },
    ]);
    const all = await planOf({ ...TWO, setting: ["all", "iid=partition:iid"] });
    const draws = expandPlan(all).map(({ setting: name, spec: { data } }) => [name, data.draw, data.partition?.name]);
    expect(draws[0]).toEqual(["all", "one-per-class", undefined]);
    expect(draws.at(-1)).toEqual(["iid", "uniform", "iid"]);
  });

  test.each([
    ["clients of no partition", { ...TWO, clients: 5 }, /--clients: .*got no --partition\. Add --partition with iid, /],
    [
      "a concentration of iid",
      { ...TWO, partition: "iid", alpha: 3 },
      /--alpha: it is of dirichlet and quantity-skew; got --partition iid, .*no effect/,
    ],
    [
      "classes a client of dirichlet",
      { ...TWO, setting: ["a=partition:dirichlet,classes-per-client:7"] },
      /--classes-per-client: it is of label-skew; got --partition dirichlet/,
    ],
    [
      "another partition's name",
      { ...TWO, setting: ["a=partition:label-skw"] },
      /got "label-skw"\. Did you mean "label-skew"\?/,
    ],
    [
      "one image a class of a client's",
      { ...TWO, partition: "label-skew", draw: "one-per-class" },
      /spec data\.draw: .*got one-per-class beside the partition label-skew\. Use uniform/,
    ],
    ["a client that is none", { ...TWO, partition: "iid", clients: 5, client: 5 }, /client must be 0 to 4; got 5/],
    ["no attacks", {}, /neither --attacks nor --plan/],
    ["an unknown attack", { attacks: "fedlek" }, /got "fedlek". Did you mean "fedleak"\?/],
    ["an unknown setting of one", { attacks: "fedleak:gama=0" }, /got "gama". Did you mean "gamma"\?/],
    ["no list of attacks", { attacks: "tv=0" }, /--attacks: it must be a list .*got "tv=0"/],
    ["a batch that is none", { ...TWO, batches: "4,x" }, /--batches: .*got "4,x"/],
    ["an unknown flag in a setting", { ...TWO, setting: ["a=modle:mlp3"] }, /--setting a: .*unknown option '--modle'/],
    ["a setting that is none", { ...TWO, setting: ["a=mlp3"] }, /--setting a: it must be a list .*got "mlp3"/],
    ["settings of one name", { ...TWO, setting: ["a", "a=hidden:4"] }, /plan settings: .*got "a" twice/],
    ["a missing plan", { plan: "none.json" }, /plan none\.json: .*got no such file/],
  ])("refuse %s", async (_, flags, words) => {
    await expect(planOf(flags).then(expandPlan)).rejects.toThrow(words);
  });
});

describe("a plan file", () => {
  const folder = freshFolder();
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  test("takes paths from its own folder; flags for all trials go before it", async () => {
    const settings = [
      { name: "a", prior: "p", data: { name: "cifar10", path: "c.bin" }, model: { weights: "/w.safetensors" } },
    ];
    const plan = file("plan.json", JSON.stringify({ settings, attacks: [{ name: "fedleak" }], seeds: 9, threads: 2 }));
    const from = await planOf({ plan, seed: 10 }, 4); // its own number of seeds, and its threads before those of the jobs
    expect(from).toMatchObject({ seeds: [10, 11, 12, 13, 14, 15, 16, 17, 18], threads: 2 });
    expect((await planOf({ attacks: "fedleak", seed: 1 }, 4)).threads).toBe(4);
    expect((await planOf({ attacks: "fedleak", seed: 1 }, 4)).seeds).toEqual([1, 2, 3]);
    expect(await planOf({ plan, seeds: 2, threads: 1 })).toMatchObject({
      settings: [
        {
          name: "a",
          prior: join(folder, "p"),
          data: { path: join(folder, "c.bin") },
          model: { weights: "/w.safetensors" },
        },
      ],
      seeds: [0, 1],
      threads: 1,
    });
  });

  test.each([
    ["broken JSON", '{"attacks": [', {}, /plan .*: it must be a file with a plan in JSON; got "/],
    ["a list", "[]", {}, /got a list/],
    ["flags that say what it says", '{"attacks": [{"name": "fedleak"}]}', { model: "mlp3" }, /got the flag model too/],
    ["an unknown entry", '{"atacks": []}', {}, /got "atacks"|attacks: it must be/],
  ])("is refused: %s", async (_, content, flags, words) => {
    await expect(planOf({ plan: file("bad.json", content), ...flags })).rejects.toThrow(words);
  });

  test("that is a folder is refused", async () => {
    mkdirSync(join(folder, "dir"));
    await expect(planOf({ plan: join(folder, "dir") })).rejects.toThrow(/it must be a file with a plan in JSON/);
  });
});
