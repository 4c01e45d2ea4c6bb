import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

describe("jobs", () => {
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
