import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { failedRow } from "../../src/audit/compare/row.ts";
import {
  type CompareEvent,
  type CompareOptions,
  type Comparison,
  completePlan,
  expandPlan,
  parseComparison,
  resumeComparison,
  rowLeftBy,
  runTrial,
  startComparison,
  type TrialTask,
} from "../../src/audit/index.ts";
import { freshFolder } from "../cli/fedleak.ts";

const PLAN = completePlan({
  settings: [
    { name: "one", model: { name: "lenet-sigmoid" }, data: { size: 8 } },
    { name: "two", model: { name: "mlp3", options: { hidden: 4 } }, data: { size: 8 } },
  ],
  attacks: [
    { name: "inverting-gradients", as: "sound" },
    {
      name: "inverting-gradients",
      as: "diverges",
      settings: { optimiser: "sgd", signed: false, clamp: false, learningRate: 1e6, tv: 1e6, weightDecay: 1e6 },
    },
  ],
  seeds: [3],
  batches: [2],
  evaluations: 20,
  threads: 1,
});

/** Options that draw nothing; trials run in this process. */
function quiet(more: Partial<CompareOptions> = {}): CompareOptions {
  const apart = () => Promise.reject(new Error("not asked for"));
  return { render: () => "", renderComparison: () => ({ "note.txt": "drawn" }), apart, ...more };
}

function begin(out: string, more: Partial<CompareOptions> = {}, plan = PLAN) {
  return startComparison(plan, { ...quiet(more), out, command: "fedleak compare" });
}

function storedIn(folder: string): Comparison {
  return parseComparison(readFileSync(join(folder, "comparison.json"), "utf8"), folder);
}

describe("a comparison with an attack that fails", () => {
  const out = join(freshFolder(), "c");
  const events: CompareEvent[] = [];
  beforeAll(async () => {
    await begin(out, { onEvent: (event) => events.push(event) });
  });

  test("keeps the failed trials as rows with their reason, and the others run", () => {
    const { rows, table, status } = storedIn(out);
    expect(status).toBe("finished");
    expect(rows.map(({ id, status: own }) => [id, own])).toEqual([
      ["one-b2-sound-s3", "finished"],
      ["one-b2-diverges-s3", "failed"],
      ["two-b2-sound-s3", "finished"],
      ["two-b2-diverges-s3", "failed"],
    ]);
    expect(rows[1]!.failure).toMatch(/must stay finite/);
    expect(table.map(({ attack, trials }) => [attack, trials.failed])).toEqual([
      ["sound", 0],
      ["diverges", 1],
      ["sound", 0],
      ["diverges", 1],
    ]);
    expect(rows[0]!.result).toMatchObject({ evaluations: 20, iterations: 20 });
    expect(rows[1]!.inputs).toEqual(rows[0]!.inputs);
    expect(rows[2]!.inputs!.weights).not.toBe(rows[0]!.inputs!.weights);
    expect(rows[0]!.versions!.fedleak).toMatch(/^\d/);
    expect(
      storedIn(out).assumptions!.map(({ setting, shared, differing }) => [setting, shared.model, differing]),
    ).toEqual([
      ["one", "lenet-sigmoid", []],
      ["two", "mlp3", []],
    ]);
    expect(rows[0]!.result!.curve.map(({ evaluations }) => evaluations)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  test("tells each trial's beginning and end, and draws its documents", () => {
    const kinds = events.flatMap((event) =>
      event.kind === "began" || event.kind === "ended" ? [`${event.kind} ${event.trial.id}`] : [],
    );
    expect(kinds.slice(0, 4)).toEqual([
      "began one-b2-sound-s3",
      "ended one-b2-sound-s3",
      "began one-b2-diverges-s3",
      "ended one-b2-diverges-s3",
    ]);
    expect(readFileSync(join(out, "note.txt"), "utf8")).toBe("drawn");
    expect(readdirSync(join(out, "trials"))).toHaveLength(4);
  });

  test("leaves a trial that is done as it is, whoever asks for it", async () => {
    const trial = expandPlan(PLAN)[0]!;
    const heard: unknown[] = [];
    const task = { trial, folder: join(out, "trials", trial.id), command: "again" };
    const row = await runTrial(task, { render: () => "", onEvent: (event) => heard.push(event) });
    expect(row).toEqual(storedIn(out).rows[0]);
    expect(heard).toEqual([]);
  });

  test("is not run again once every trial has ended", async () => {
    await expect(resumeComparison(out, quiet())).rejects.toThrow(/a trial that has not ended; got 4 trials that have/);
  });

  test("begins a trial anew whose record is damaged or whose folder is half made, to the same numbers", async () => {
    const before = storedIn(out);
    writeFileSync(join(out, "trials", "one-b2-sound-s3", "record.json"), '{"format":');
    rmSync(join(out, "trials", "two-b2-sound-s3"), { recursive: true });
    mkdirSync(join(out, "trials", "two-b2-sound-s3"));
    const ran: string[] = [];
    await resumeComparison(out, quiet({ onEvent: (e) => e.kind === "began" && ran.push(e.trial.id) }));
    expect(ran).toEqual(["one-b2-sound-s3", "two-b2-sound-s3"]);
    expect(readFileSync(join(out, "trials", "one-b2-sound-s3.old", "record.json"), "utf8")).toBe('{"format":');
    expect(storedIn(out).rows.map(({ result }) => result?.psnrDb)).toEqual(
      before.rows.map(({ result }) => result?.psnrDb),
    );
  });
});

test("an interrupt leaves the running trial with a checkpoint and the others to come; a resume finishes them", async () => {
  const out = join(freshFolder(), "c");
  const stop = new AbortController();
  const onEvent = (event: CompareEvent) => {
    if (event.kind === "trial" && event.event.kind === "iteration" && event.event.iteration === 5) stop.abort();
  };
  const { comparison } = await begin(out, { onEvent, signal: stop.signal });
  expect(comparison.status).toBe("interrupted");
  expect(comparison.rows.map(({ status }) => status)).toEqual(["interrupted", "pending", "pending", "pending"]);
  expect(existsSync(join(out, "trials", "one-b2-sound-s3", "state.safetensors"))).toBe(true);

  const resumed: number[] = [];
  const { comparison: whole } = await resumeComparison(
    out,
    quiet({
      onEvent: (event) => {
        if (event.kind === "trial" && event.event.kind === "iteration") resumed.push(event.event.iteration);
      },
    }),
  );
  expect(resumed[0]).toBe(6); // from the checkpoint, not from the start
  const { comparison: reference } = await begin(join(freshFolder(), "c"));
  const numbers = ({ table }: Comparison) => table.map(({ seconds: _, ...line }) => line);
  expect(numbers(whole)).toEqual(numbers(reference));
});

/** Overwrites an image of 8 × 8 noise pixels. */
async function drawNoise(file: string, step: number): Promise<void> {
  const noise = Buffer.from(Array.from({ length: 192 }, (_, i) => (i * step) % 256));
  await sharp(noise, { raw: { width: 8, height: 8, channels: 3 } }).toFile(file);
}

async function twoImages(folder: string): Promise<void> {
  for (const [name, step] of [
    ["a", 7],
    ["b", 31],
  ] as const) {
    mkdirSync(join(folder, name), { recursive: true });
    await drawNoise(join(folder, name, "1.png"), step);
  }
}

test("an attack that met other images than the attack before it is an error row, with no score in the table", async () => {
  const root = freshFolder();
  const images = join(root, "images");
  await twoImages(images);
  const [sound] = PLAN.attacks;
  const plan = completePlan({
    ...PLAN,
    settings: [{ ...PLAN.settings[1]!, data: { name: "image-folder", path: images } }],
    attacks: [sound!, { ...sound!, as: "later" }, { ...sound!, as: "last" }],
    evaluations: 2,
  });
  let turn: Promise<unknown> = Promise.resolve();
  const apart = (task: TrialTask) => {
    const own = turn.then(async () => {
      await drawNoise(join(images, "a", "1.png"), task.trial.attack === "later" ? 5 : 7);
      return runTrial(task, { render: () => "" });
    });
    turn = own;
    return own; // one after the other, though two are asked for
  };
  const { comparison } = await begin(join(root, "c"), { apart, jobs: 2 }, plan);
  expect(comparison.rows.map(({ status }) => status)).toEqual(["finished", "failed", "finished"]);
  expect(comparison.rows[1]!.failure).toMatch(/must see the same batch and weights; got batch [0-9a-f]{12} beside/);
  expect(comparison.table.find(({ attack }) => attack === "later")).toMatchObject({
    psnrDb: null,
    trials: { planned: 1, scored: 0, failed: 1 },
  });
});

describe("a resume that cannot go on keeps everything", () => {
  /** A comparison of one trial on images of its own, stopped in its fifth iteration. */
  async function stopped(): Promise<{ out: string; images: string; folder: string }> {
    const [root, stop] = [freshFolder(), new AbortController()];
    const [out, images] = [join(root, "c"), join(root, "images")];
    await twoImages(images);
    const [one, [attack]] = [PLAN.settings[0]!, PLAN.attacks];
    const settings = [{ ...one, data: { name: "image-folder", path: images } }];
    const plan = completePlan({ ...PLAN, settings, attacks: [attack!] });
    const onEvent = (event: CompareEvent) => {
      if (event.kind === "trial" && event.event.kind === "iteration" && event.event.iteration === 5) stop.abort();
    };
    await begin(out, { onEvent, signal: stop.signal }, plan);
    return { out, images, folder: join(out, "trials", "one-b2-sound-s3") };
  }

  test("while the data are missing", async () => {
    const { out, images, folder } = await stopped();
    const state = readFileSync(join(folder, "state.safetensors"));
    renameSync(images, `${images}-unplugged`);
    await expect(resumeComparison(out, quiet())).rejects.toThrow(/images/);
    const trial = expandPlan(storedIn(out).plan)[0]!;
    const row = await runTrial({ trial, folder, command: "again" }, { render: () => "" });
    expect(row).toMatchObject({ status: "interrupted", failure: expect.stringContaining("images") });
    expect(readFileSync(join(folder, "state.safetensors"))).toEqual(state);
    expect(readdirSync(join(out, "trials"))).toEqual(["one-b2-sound-s3"]);
    renameSync(`${images}-unplugged`, images);
    expect((await resumeComparison(out, quiet())).comparison.status).toBe("finished");
  });

  test("when a record is of another version", async () => {
    const { out, folder } = await stopped();
    const file = join(folder, "record.json");
    const text = readFileSync(file, "utf8").replace(/"version": \d+/, '"version": 9999');
    writeFileSync(file, text);
    await expect(resumeComparison(out, quiet())).rejects.toThrow(/"version" must be .*got 9999/);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("but begins anew where the checkpoint is damaged for good, with the old folder beside it", async () => {
    const { out, folder } = await stopped();
    for (const file of ["state.safetensors", "state.previous.safetensors"]) writeFileSync(join(folder, file), "x");
    expect((await resumeComparison(out, quiet())).comparison.status).toBe("finished");
    expect(readFileSync(join(`${folder}.old`, "state.safetensors"), "utf8")).toBe("x");
  });
});

describe("jobs", () => {
  test("whose process ended untold leave the row that their record tells, else one to go on with", async () => {
    const out = join(freshFolder(), "c");
    const one = completePlan({ ...PLAN, settings: PLAN.settings.slice(1), attacks: PLAN.attacks.slice(0, 1) });
    const { comparison } = await begin(out, {}, one);
    const [trial] = expandPlan(one);
    const task = { trial: trial!, folder: join(out, "trials", trial!.id), command: "again" };
    expect(await rowLeftBy(task, "SIGKILL")).toEqual(comparison.rows[0]);
    const none = { ...task, folder: join(out, "trials", "none") };
    expect(await rowLeftBy(none, "SIGKILL")).toMatchObject({
      status: "interrupted",
      failure: expect.stringMatching(/ended with SIGKILL.*fedleak resume/),
    });
  });

  test("are given the trials as plain JSON, two at once; a trial that could not begin is tried again by a resume", async () => {
    const out = join(freshFolder(), "c");
    const tasks: TrialTask[] = [];
    const peak = { now: 0, most: 0 };
    const apart = async (task: TrialTask) => {
      tasks.push(JSON.parse(JSON.stringify(task)));
      peak.most = Math.max(peak.most, ++peak.now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      peak.now--;
      return failedRow(task.trial, "no process");
    };
    const { comparison } = await begin(out, { apart, jobs: 2 });
    expect(peak.most).toBe(2);
    expect(tasks.map(({ trial }) => trial.id)).toEqual(comparison.rows.map(({ id }) => id));
    expect(tasks[0]!.command).toBe("fedleak compare # one-b2-sound-s3");
    expect(comparison.rows.every(({ failure }) => failure === "no process")).toBe(true);
    expect(comparison.table.every(({ trials }) => trials.failed === 1 && trials.scored === 0)).toBe(true);

    tasks.length = 0;
    writeFileSync(join(out, "comparison.json"), JSON.stringify({ ...storedIn(out), status: "interrupted" }));
    await resumeComparison(out, quiet({ apart })); // with the jobs it began with
    expect(tasks).toHaveLength(4);
  });
});

describe("leaves nothing behind", () => {
  test("when the data of one setting cannot be read", async () => {
    const root = freshFolder();
    const settings = [...PLAN.settings, { name: "three", data: { name: "cifar10", path: "/nowhere" } }];
    await expect(begin(join(root, "c"), {}, completePlan({ ...PLAN, settings }))).rejects.toThrow(/nowhere/);
    expect(readdirSync(root)).toEqual([]);
  });

  test("where something lies already", async () => {
    const root = freshFolder();
    writeFileSync(join(root, "mine.txt"), "mine");
    await expect(begin(root)).rejects.toThrow(/must not exist yet or must be empty/);
    expect(readdirSync(root)).toEqual(["mine.txt"]);
  });
});
