import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  completeSpec,
  type ExplainEvent,
  type ExplainPlan,
  type Explanation,
  explainAttack,
  PARTS,
  parseExplanation,
  type RunRequest,
  resumeExplanation,
  versions,
} from "../../src/audit/index.ts";

const fresh = () => join(mkdtempSync(join(tmpdir(), "fedleak-explain-")), "why");

/** A setting that takes a second; six iterations unless said otherwise. */
function specOf(settings: Record<string, number | string> = {}, name = "fedleak") {
  const request: RunRequest = {
    attack: { name, settings: { iterations: 6, ...settings } },
    model: { name: "mlp3", options: { hidden: 8 } },
    data: { size: 8 },
    client: { batchSize: 2, grants: ["batch-size", "labels"] },
    threads: 1,
  };
  return completeSpec(request);
}

function planOf(out: string, change: Partial<ExplainPlan> = {}): ExplainPlan {
  const options = { probes: 3, draws: 2, entries: 12 };
  return { options, only: PARTS, out, command: "fedleak explain", render: ({ status }) => `<p>${status}`, ...change };
}

describe("an explanation", () => {
  const out = fresh();
  let found: Explanation;
  beforeAll(async () => {
    ({ found } = await explainAttack(specOf(), planOf(out, { only: ["convergence", "noise"] })));
  });

  test("holds four runs of the attack from one start, measured at the start, between and at the end", () => {
    const { variants, notes, iterations, status } = found.parts.convergence!;
    expect({ iterations, status }).toEqual({ iterations: 6, status: "finished" });
    expect(variants.map(({ name, asSet }) => [name, asSet])).toEqual([
      ["neither", false],
      ["regularisation", false],
      ["partial-matching", false],
      ["both", true],
    ]);
    for (const { points, gamma, end } of variants) {
      expect(points.map(({ iteration }) => iteration)).toEqual([0, 3, 6]);
      expect(points[0]!.rms).toBe(variants[0]!.points[0]!.rms);
      for (const { here, blended } of points) {
        expect(blended === null).toBe(gamma === 0);
        expect((here.ratio! * here.l!) / here.mu!).toBeCloseTo(1, 6);
        expect((here.mu! ** 2 / here.l!) ** 0.5).toBeCloseTo(Math.abs(here.alignment!), 6);
      }
      expect(end!.l2).toBeGreaterThan(0);
    }
    expect(variants[3]!.points.at(-1)!.rms).not.toBe(variants[2]!.points.at(-1)!.rms); // gamma acts
    expect(variants[2]!.points.at(-1)!.rms).not.toBe(variants[0]!.points.at(-1)!.rms); // the mask acts
    expect(notes.join(" ")).toMatch(/known here, to the audit, and was never given to the attack/);
  });

  test("is written whole, and nothing of parts that were not asked for", () => {
    expect(readdirSync(out).sort()).toEqual(["explain.html", "explain.json"]);
    expect(readFileSync(join(out, "explain.html"), "utf8")).toBe("<p>finished");
    expect(parseExplanation(readFileSync(join(out, "explain.json"), "utf8"), "f")).toEqual(found);
    expect(Object.keys(found.parts).sort()).toEqual(["convergence", "noise"]);
    expect(found.ledger.find(({ assumption }) => assumption === "labels")?.value).toMatch(/granted/);
  });

  test("goes on in its folder: what is finished is kept, what is missing or was asked otherwise is computed", async () => {
    const events: ExplainEvent[] = [];
    const options = { probes: 3, draws: 1, entries: 12 };
    const again = await explainAttack(specOf(), planOf(out, { options, onEvent: (event) => events.push(event) }));
    expect(events.flatMap((e) => (e.kind === "part" ? [`${e.part} ${e.state}`] : []))).toEqual([
      "convergence kept",
      ...["noise begun", "noise finished", "sensitivity begun", "sensitivity finished"],
      ...["damping begun", "damping finished"],
    ]);
    const { parts } = again.found;
    expect(parts.convergence).toEqual(found.parts.convergence);
    expect(parts.noise!.full[3]!.l2).toEqual(found.parts.noise!.full[3]!.l2.slice(0, 1)); // the same first draw
    expect(parts.sensitivity!.scopes.map(({ name, sampled }) => [name, sampled])).toEqual([
      ["last-layer", 12],
      ["all-layers", 12],
    ]);
  });

  test("another setting or a foreign file is refused", async () => {
    await expect(explainAttack(specOf({ gamma: 0.1 }), planOf(out))).rejects.toThrow(
      /must be of the same setting; got another setting\. Choose another folder/,
    );
    const foreign = mkdtempSync(join(tmpdir(), "fedleak-explain-"));
    writeFileSync(join(foreign, "explain.json"), "{}");
    await expect(explainAttack(specOf(), planOf(foreign))).rejects.toThrow(
      /"format" must be "fedleak-explanation"; got none\. Choose another/,
    );
    const mine = mkdtempSync(join(tmpdir(), "fedleak-explain-"));
    writeFileSync(join(mine, "notes.txt"), "mine");
    await expect(explainAttack(specOf(), planOf(mine))).rejects.toThrow(/must not exist yet or must be empty/);
  });
});

test("an interruption keeps what is done, and the next go reaches the numbers of a whole one", async () => {
  const only = ["convergence", "noise"] as const;
  const whole = (await explainAttack(specOf(), planOf(fresh(), { only }))).found.parts;
  const out = fresh();
  const stop = new AbortController();
  const onEvent = (event: ExplainEvent) => {
    if (event.kind === "progress" && event.done === 21) stop.abort(); // in the middle of the last of four runs
  };
  const { found } = await explainAttack(specOf(), planOf(out, { only, onEvent, signal: stop.signal }));
  expect(found.status).toBe("interrupted");
  expect(found.parts.noise).toBeUndefined();
  const { variants } = found.parts.convergence!;
  expect(variants.map(({ status, points }) => [status, points.at(-1)!.iteration])).toEqual([
    ...[1, 2, 3].map(() => ["finished", 6]),
    ["interrupted", 3],
  ]);
  expect(variants[3]!.points).toEqual(whole.convergence!.variants[3]!.points.slice(0, 2));
  const done = await resumeExplanation(out, { render: () => "" }); // the folder says which parts, and with which options
  expect(done.found.status).toBe("finished");
  expect(done.found.parts.convergence!.variants).toEqual(whole.convergence!.variants);
  expect(done.found.parts.noise!.partial).toEqual(whole.noise!.partial);
  expect(Object.keys(done.found.parts)).toEqual(only); // and nothing that was not asked for
  expect(done.found.parts.noise!.versions).toEqual(versions());
  await expect(resumeExplanation(out, { render: () => "" })).rejects.toThrow(
    /must be left to compute; got convergence, noise, all finished/,
  );
});

describe("a resume from the folder alone", () => {
  const go = { render: () => "" };

  test("does not add to half a part of another version", async () => {
    const out = fresh();
    const stopAt = (done: number) => {
      const [stop, seen] = [new AbortController(), [] as number[]];
      const onEvent = (event: ExplainEvent) => {
        if (event.kind !== "progress") return;
        seen.push(event.done);
        if (event.done >= done) stop.abort();
      };
      return { onEvent, signal: stop.signal, seen };
    };
    await explainAttack(specOf(), planOf(out, { only: ["convergence"], ...stopAt(8) })); // in the second of four runs
    const file = join(out, "explain.json");
    const stored: Explanation = JSON.parse(readFileSync(file, "utf8"));
    const { convergence } = stored.parts;
    expect(convergence!.variants.length).toBeGreaterThan(0);
    const old = { ...convergence!, versions: { ...convergence!.versions!, fedleak: "0.0.1" } };
    writeFileSync(file, JSON.stringify({ ...stored, parts: { convergence: old } }));
    const again = stopAt(1);
    await resumeExplanation(out, { ...go, ...again });
    expect(again.seen[0]).toBe(1); // from the start
  });

  test("of an older file, or of no explanation, says what to do", async () => {
    const out = fresh();
    await explainAttack(specOf(), planOf(out, { only: ["damping"] }));
    const file = join(out, "explain.json");
    const { asked: _, ...older } = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify(older));
    await expect(resumeExplanation(out, go)).rejects.toThrow(
      /got one of an older version\. Repeat the command .*--out/,
    );
    await expect(resumeExplanation(fresh(), go)).rejects.toThrow(/got no explain\.json/);
  });
});

test("an interruption before anything is there leaves nothing behind", async () => {
  const out = fresh();
  const stopped = explainAttack(specOf(), planOf(out, { signal: AbortSignal.abort() }));
  await expect(stopped).rejects.toThrow(/must reach its first part .*Nothing was written/);
  expect(readdirSync(join(out, ".."))).toEqual([]);
});

test("a part that cannot be measured says so, and the others go on", async () => {
  const only = ["convergence", "damping"] as const;
  const linear = await explainAttack(specOf({}, "linear-leak"), planOf(fresh(), { only }));
  expect(linear.found.status).toBe("failed");
  expect(linear.found.parts.convergence!.failure).toMatch(/must search for the images .*got method linear-leak/);
  expect(linear.found.parts.damping!.status).toBe("finished");
});

test("other ways to search: signed generator steps, l-bfgs, several candidates with noise in their steps", async () => {
  const only = ["convergence"] as const;
  const options = { probes: 2, draws: 1, entries: 3 };
  const traced = async (name: string, settings: Record<string, number | string>) => {
    const { found } = await explainAttack(
      specOf({ iterations: 2, ...settings }, name),
      planOf(fresh(), { only, options }),
    );
    expect(found.parts.convergence!.failure).toBeUndefined();
    return found.parts.convergence!.variants;
  };
  for (const { points, gamma } of await traced("fedleak-release", { generatorChannels: 4 })) {
    expect(points).toHaveLength(2);
    for (const { blended, here } of points) {
      expect(here.mu).not.toBeNull();
      expect(blended === null).toBe(gamma === 0);
    }
  }
  const alone = await traced("fedleak", { optimiser: "l-bfgs" });
  expect(alone.map(({ name, asSet }) => [name, asSet])).toEqual([
    ["neither", false],
    ["partial-matching", true],
  ]);
  const several = await traced("fedleak", { restarts: 2, langevin: 0.1 });
  expect(several.every(({ points }) => points.length === 2)).toBe(true);
});
