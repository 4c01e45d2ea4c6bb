import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { drawPrivate, holdingsOf, variationsOf } from "../../src/audit/clients.ts";
import { canonicalJson, fingerprint } from "../../src/audit/fingerprint.ts";
import {
  completeSpec,
  parseRecord,
  type RunRequest,
  resumeRun,
  runAttack,
  studyLabels,
} from "../../src/audit/index.ts";
import { readRunFile } from "../../src/audit/run-folder.ts";
import { prepareTrial, runKey, type Trial } from "../../src/audit/trial.ts";
import { partition, partitionCounts } from "../../src/data/index.ts";
import { key, split, uniform } from "../../src/util/index.ts";
import { freshFolder } from "../cli/fedleak.ts";

type Partition = NonNullable<NonNullable<RunRequest["data"]>["partition"]>;

const COUNT = 160;
const DIGITS = digits();
const SMALL = { model: { name: "mlp3", options: { hidden: 4 } }, client: { batchSize: 3 }, threads: 1 } as const;
const asked = (held: Partition | null, more: Omit<RunRequest, "data"> = {}) =>
  completeSpec({ ...SMALL, data: { name: "mnist", path: DIGITS, partition: held }, ...more });
const trialOf = (held: Partition | null, more?: Omit<RunRequest, "data">) => prepareTrial(asked(held, more));
const labelsOf = ({ source, indices }: Trial) => indices.map((i) => source.labels[i]!);
const BY_LABEL = { name: "label-skew", classesPerClient: 1, clients: 5 } as const;

test("without a partition the batch is drawn as it was before there were any, and a run of then can go on", async () => {
  const { indices, spec, specPrint, holder } = await prepareTrial(completeSpec({ ...SMALL, data: { size: 8 } }));
  expect(indices).toEqual([60, 120, 66]); // drawn by the version before
  expect(holder).toBeUndefined();
  expect(spec.data).toMatchObject({ partition: null, draw: "one-per-class" });
  const later = ["partition", "target", "columns"]; // entries that came since then
  const data = Object.fromEntries(Object.entries(spec.data).filter(([name]) => !later.includes(name)));
  expect(specPrint).toBe(await fingerprint(canonicalJson({ ...spec, data })));
});

describe("the batch of a client", () => {
  test.each([0, 1, 2])("is of its own images; with one class a client it has one label (seed %i)", async (seed) => {
    const trial = await trialOf(BY_LABEL, { seed });
    const { labels } = trial.source;
    const parts = partition({ labels }, { ...BY_LABEL, alpha: 1, key: split(key(seed), "partition") });
    const own = parts[trial.holder!.number]!;
    expect(trial.indices.every((i) => own.includes(i))).toBe(true);
    expect(new Set(trial.indices).size).toBe(3);
    expect(new Set(labelsOf(trial)).size).toBe(1);
    expect(trial.truth.classNames).toHaveLength(10);
    expect(trial.model.classes).toBe(10); // the data's, not the client's
  });

  test("is the same for the same seed, for a named client too, and another for another", async () => {
    const [one, again, other] = [
      await trialOf(BY_LABEL),
      await trialOf(BY_LABEL),
      await trialOf(BY_LABEL, { seed: 1 }),
    ];
    expect([again.indices, again.inputsPrint]).toEqual([one.indices, one.inputsPrint]);
    const restored = await prepareTrial(completeSpec(JSON.parse(JSON.stringify(one.spec))));
    expect([restored.specPrint, restored.inputsPrint]).toEqual([one.specPrint, one.inputsPrint]);
    const { number } = one.holder!;
    const named = await trialOf({ ...BY_LABEL, client: number });
    expect(named.indices).toEqual(one.indices);
    expect(named.specPrint).not.toBe(one.specPrint);
    expect(other.indices).not.toEqual(one.indices);
    const neighbour = await trialOf({ ...BY_LABEL, client: (number + 1) % 5 });
    expect(labelsOf(neighbour)).not.toEqual(labelsOf(one));
  });

  test("has the images of all of its local steps", async () => {
    const trial = await trialOf(BY_LABEL, { client: { batchSize: 3, localSteps: 2 } });
    expect(new Set(trial.indices).size).toBe(6);
    expect(new Set(labelsOf(trial)).size).toBe(1);
  });

  test("of feature-skew is smooth for the first client and busy for the last", async () => {
    const held = { name: "feature-skew", clients: 4 } as const;
    const trials = [];
    for (const client of [0, 1, 2, 3]) trials.push(await trialOf({ ...held, client }));
    const ranges = await Promise.all(trials.map(({ source, holder }) => variationsOf(source, holder!.indices)));
    for (const [i, range] of ranges.slice(1).entries())
      expect(Math.min(...range)).toBeGreaterThanOrEqual(Math.max(...ranges[i]!));
    const [first, last] = [
      Math.max(...(await batchVariation(trials[0]!))),
      Math.min(...(await batchVariation(trials[3]!))),
    ];
    expect(first).toBeLessThan(last);
  });

  test("is drawn from another client with another seed, always one with enough images", async () => {
    const spec = asked({ name: "quantity-skew", clients: 12, alpha: 0.7 });
    const { source } = await prepareTrial(spec);
    const { labels } = source;
    const holdings = (await holdingsOf(spec, source, key(4)))!;
    const count = 8;
    expect(holdings.some((own) => own.length < count)).toBe(true);
    const numbers = Array.from({ length: 60 }, (_, i) => {
      const { indices, holder } = drawPrivate(
        spec,
        { labels, holdings },
        { count, keys: { batch: key(i), client: key(i) } },
      );
      expect(indices.every((at) => holdings[holder!.number]!.includes(at))).toBe(true);
      return holder!.number;
    });
    const able = [...holdings.keys()].filter((u) => holdings[u]!.length >= count);
    expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual(able); // 60 draws miss one of 7 with probability below 1e-3
  });
});

test("a seed's client is the same at every batch size that it has the images for", async () => {
  const spec = asked({ name: "quantity-skew", clients: 12, alpha: 0.7 });
  const { source } = await prepareTrial(spec);
  const holdings = (await holdingsOf(spec, source, key(4)))!;
  const clientOf = (count: number, seed: number) =>
    drawPrivate(spec, { labels: source.labels, holdings }, { count, keys: { batch: key(seed), client: key(seed) } })
      .holder!.number;
  for (const seed of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    const large = holdings.map((own) => own.length).sort((a, b) => b - a)[2]!; // three clients have as many
    const [one, four, most] = [clientOf(1, seed), clientOf(4, seed), clientOf(large, seed)];
    if (holdings[one]!.length >= 4) expect([seed, four]).toEqual([seed, one]);
    if (holdings[four]!.length >= large) expect([seed, most]).toEqual([seed, four]);
  }
});

describe("what cannot be is refused, with a remedy", () => {
  test.each([
    [
      "a batch that its client is too small for",
      { ...BY_LABEL, client: 1, clients: 80 },
      /client 1 of 80 must have the 3 images of its batch, local steps × batch size; got 2.*smaller --batch/,
    ],
    [
      "a batch that all clients are too small for",
      { name: "iid", clients: 80 },
      /partition iid: the largest client of 80 must have the 3 images.*fewer --clients/,
    ],
    ["a client that is none", { ...BY_LABEL, client: 5 }, /client must be 0 to 4; got 5/],
    ["more classes than there are", { ...BY_LABEL, classesPerClient: 11 }, /at most 10.*--classes-per-client/],
    ["more clients than images", { name: "iid", clients: 999 }, /each of the 999 clients must have an image/],
    ["an unknown partition", { name: "label-skw" }, /Did you mean "label-skew"\?/],
    [
      "a concentration of 0",
      { name: "dirichlet", alpha: 0 },
      /spec data\.partition\.alpha: it must be a number > 0 or null; got 0/,
    ],
  ])("%s", async (_, held, words) => {
    await expect((async () => (await trialOf(held as Partition)).indices)()).rejects.toThrow(words);
  });

  test("one image a class from a client of some classes", () => {
    const data = { draw: "one-per-class", partition: { name: "label-skew" } } as const;
    expect(() => completeSpec({ data })).toThrow(/one-per-class beside the partition label-skew.*--draw uniform/);
    expect(completeSpec({ data: { partition: {} } }).data).toMatchObject({
      draw: "uniform",
      partition: { name: "iid", clients: 100, classesPerClient: 2, alpha: 0.5, client: null },
    });
    expect(completeSpec({ data: { partition: { name: "quantity-skew" } } }).data.partition!.alpha).toBe(2);
  });
});

test("record and ledger name the client, and a stopped run goes on to the same numbers", async () => {
  const spec = asked(
    { ...BY_LABEL, clients: 10 },
    { attack: { name: "dlg", settings: { iterations: 4 } }, checkpointEvery: 1 },
  );
  const quiet = { command: "fedleak attack", render: () => "" };
  const whole = await runAttack(spec, { ...quiet, out: join(freshFolder(), "a") });
  const { client, ledger } = whole.record;
  const { labels } = (await prepareTrial(spec)).source;
  const parts = partition({ labels }, { ...BY_LABEL, clients: 10, alpha: 1, key: runKey(spec, "partition") });
  const [counts] = partitionCounts([parts[client!.number]!], labels, 10);
  expect(client).toEqual({
    partition: "label-skew, 1 class a client",
    clients: 10,
    number: client!.number,
    images: 16,
    labelCounts: counts,
  });
  const told = Object.fromEntries(ledger.map((entry) => [entry.assumption, entry]));
  expect(told.partition).toMatchObject({ value: "label-skew, 1 class a client, 10 clients", origin: "user" });
  expect(told.client!.value).toMatch(new RegExp(`^number ${client!.number} \\(of 0 to 9\\), 16 images \\(\\d 16\\)$`));
  expect(told.client!.note).toMatch(/among the 10 clients that have enough/);
  expect(told.batch!.note).toMatch(/uniformly from the seed, of the client's images/);

  const out = join(freshFolder(), "b");
  const stop = new AbortController();
  const onEvent = ({ kind, iteration }: { kind: string; iteration?: number }) => {
    if (kind === "iteration" && iteration === 2) stop.abort();
  };
  const stopped = await runAttack(spec, { ...quiet, out, signal: stop.signal, onEvent });
  expect(stopped.record.status).toBe("interrupted");
  const resumed = await resumeRun(out, quiet);
  expect(resumed.record.results!.psnrDb).toEqual(whole.record.results!.psnrDb);
  const stored = new TextDecoder().decode(await readRunFile(out, "record.json"));
  expect(parseRecord(stored, "b").client).toEqual(client);
  const broken = JSON.stringify({ ...JSON.parse(stored), client: { ...client, images: 17 } });
  expect(() => parseRecord(broken, "b")).toThrow(/client\.labelCounts: must be of all its images/);
});

test("rows of a table are held by clients too, but have no variation to go by", async () => {
  const table = join(freshFolder(), "rows.csv");
  writeFileSync(table, ["age,class", ...Array.from({ length: 40 }, (_, i) => `${20 + i},${"ab"[i % 2]}`)].join("\n"));
  const held = (name: "label-skew" | "feature-skew") =>
    prepareTrial(
      completeSpec({
        data: { name: "table", path: table, target: "class", partition: { name, clients: 4, classesPerClient: 1 } },
      }),
    );
  expect(new Set(labelsOf(await held("label-skew"))).size).toBe(1);
  await expect(held("feature-skew")).rejects.toThrow(
    /feature-skew: it goes by the total variation of images; got a table/,
  );
});

describe("labels of a client", () => {
  const study = (held: Partition, batches = [3]) => studyLabels(asked(held), { batches, trials: 5, rules: ["auto"] });

  test("are those that it has: one class for all batches of one client", async () => {
    const { rows, client } = await study({ ...BY_LABEL, client: 2 });
    expect(client).toMatch(/^one of 5 by label-skew, 1 class a client: number 2 \(counted from 0\), \d+ images$/);
    const even = rows.find(({ name }) => name === "evenly")!; // it guesses one each of 3 classes: 1 of 3 right, or none
    expect(even.countInterval95![0]).toBe(even.countInterval95![1]);
    expect([0, 1 / 3]).toContain(even.countAccuracy);
    expect((await study(BY_LABEL)).client).toMatch(/drawn anew in each trial/);
  });

  test("are not studied for batches that no client has the images for", async () => {
    await expect(study(BY_LABEL, [2, 100])).rejects.toThrow(/largest client of 5 must have the 100 images/);
  });
});

/** A folder of idx files: 160 pictures of noise, 8×8, the later the stronger, of ten classes in turn. */
function digits(): string {
  const folder = freshFolder();
  const noise = uniform(key(7), COUNT * 64);
  const u32 = (n: number) => [0, 0, n >> 8, n & 255];
  const pixels = Array.from(noise, (u, i) => Math.floor((u * 255 * (1 + Math.floor(i / 64))) / COUNT));

  const write = (name: string, bytes: readonly number[]) => writeFileSync(join(folder, name), Uint8Array.from(bytes));
  write("train-images-idx3-ubyte", [0, 0, 8, 3, ...[COUNT, 8, 8].flatMap(u32), ...pixels]);
  write("train-labels-idx1-ubyte", [0, 0, 8, 1, ...u32(COUNT), ...Array.from({ length: COUNT }, (_, i) => i % 10)]);
  return folder;
}

async function batchVariation({ source, indices }: Trial): Promise<number[]> {
  return variationsOf(source, indices);
}
