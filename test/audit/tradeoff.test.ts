import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  cellsOf,
  completeTradeoff,
  LADDERS,
  parseTradeoff,
  resumeTradeoff,
  STRENGTHS,
  type Tradeoff,
  type TradeoffEvent,
} from "../../src/audit/index.ts";
import { comparisonOf } from "../../src/audit/tradeoff/cell-trials.ts";
import { DEFENCES, link } from "../../src/defences/index.ts";
import { freshFolder } from "../cli/fedleak.ts";
import { asked, begin, quiet, tinyPlan } from "./tradeoff-fixture.ts";

const storedIn = (folder: string) => parseTradeoff(readFileSync(join(folder, "tradeoff.json"), "utf8"), folder);

/** What does not depend on the clock. */
const numbersOf = ({ table, cells }: Tradeoff) => ({
  table,
  trained: cells.map(({ training }) => training && { ...training, seconds: 0 }),
});

describe("cells", () => {
  test("every defence has a ladder whose rungs are valid and differ, with its origin", () => {
    expect(Object.keys(LADDERS).sort()).toEqual(Object.keys(DEFENCES).sort());
    for (const [name, { settings, origin }] of Object.entries(LADDERS)) {
      const rungs = Object.values(settings).map((own) => JSON.stringify(link(name, own).settings));
      expect(new Set(rungs).size, name).toBe(rungs.length);
      expect(origin).toMatch(/our choice|FedLeak|METHODS|no dial/);
    }
  });

  test("are none, then each defence from weak to strong, at each number of local steps", () => {
    const names = cellsOf(asked("dp-sgd", "sign"), ["strong", "weak"], [1, 4]).map(({ name }) => name);
    expect(names).toEqual(
      ["none", "dp-sgd-weak", "dp-sgd-strong", "sign"]
        .flatMap((n) => [`${n}-s1`, `${n}-s4`])
        .sort((a, b) => (a.slice(-1) === b.slice(-1) ? 0 : a.slice(-1) < b.slice(-1) ? -1 : 1)),
    );
    const chain = [
      { name: "soteria", settings: { percentile: "50" } },
      { name: "sparsify", settings: {} },
    ];
    const own = cellsOf([chain], STRENGTHS, [null])[1]!;
    expect(own).toMatchObject({ name: "soteria-percentile-50-and-sparsify", strength: null, defences: chain });
  });

  test.each([
    [asked("dpsgd"), ["weak"], /--defences: name must be one of .*Did you mean "dp-sgd"/],
    [asked("dp-sgd"), [], /--strengths: it must name at least one strength; got none/],
    [asked("dp-sgd"), ["mild"], /--strengths: strength must be one of weak, medium, strong/],
    [[], ["weak"], /--defences: it must name at least one defence/],
    [asked("sign", "sign"), ["weak"], /each cell must be there once; got sign twice/],
  ])("%j %j are refused", (defences, strengths, complaint) => {
    expect(() => cellsOf(defences, strengths, [null])).toThrow(complaint);
  });

  test.each([
    ["dp-sgd", { epsilon: "0" }, /dp-sgd epsilon: it must be a number above 0/],
    ["soteria", { percentile: "101" }, /soteria percentile.*got "101"/],
    ["quantise", { bit: "3" }, /Did you mean "bits"/],
  ])("a plan with %s %j is refused", (name, settings, complaint) => {
    expect(() => tinyPlan(cellsOf([[{ name, settings }]], ["weak"], [null]))).toThrow(complaint);
  });
});

describe("a plan", () => {
  test("is completed once: completing it again changes nothing; the attacked batch is that of the training", () => {
    const plan = tinyPlan();
    expect(completeTradeoff(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
    expect(plan.attack).toMatchObject({ batchSize: 2, at: ["initial", "trained"], seeds: [0] });
  });

  test("refuses what is no trade-off", () => {
    expect(() => tinyPlan(undefined, {}, { training: "centralised" })).toThrow(/tradeoff: it trains federations/);
    expect(() => tinyPlan(undefined, { at: [] })).toThrow(/tradeoff attack.at/);
    expect(() => tinyPlan(undefined, { evaluation: 3 } as never)).toThrow(/Did you mean "evaluations"/);
    expect(() => tinyPlan(undefined, { attacks: [{ name: "fedlek" }] })).toThrow(/Did you mean "fedleak"/);
  });
});

describe("the attacks on a cell", () => {
  const clientOf = (setting: object) =>
    (setting as { readonly client: { readonly localLearningRate?: number; readonly grants: readonly string[] } })
      .client;

  test("with several local steps take the learning rate of their round", () => {
    const rates = (schedule: "cosine" | "constant", localSteps: number) => {
      const plan = tinyPlan(
        cellsOf(asked("sign"), ["weak"], [localSteps]),
        {},
        { optimiser: { learningRate: 0.2, schedule } },
      );
      return comparisonOf(plan, plan.cells[0]!).settings.map((setting) => clientOf(setting).localLearningRate);
    };
    expect(rates("cosine", 4)).toEqual([0.2, expect.closeTo(0.1 * (1 + Math.cos((3 / 4) * Math.PI)), 12)]); // the last of four rounds
    expect(rates("constant", 4)).toEqual([0.2, 0.2]);
    expect(rates("cosine", 1)).toEqual([undefined, undefined]); // one step sends the gradient
  });

  test("grant the defence where one adapts, and leave that one away where there is nothing to adapt to", () => {
    const attacks = (["false", "true"] as const).map((adaptive) => ({
      name: "fedleak-release",
      as: adaptive,
      settings: { adaptive },
    }));
    const [none, sign] = (({ cells, ...plan }) => cells.map((cell) => comparisonOf({ ...plan, cells }, cell)))(
      tinyPlan(cellsOf(asked("sign"), ["weak"], [null]), { attacks }),
    );
    expect(none!.attacks.map(({ as }) => as)).toEqual(["false"]);
    expect(clientOf(none!.settings[0]!).grants).not.toContain("defence");
    expect(sign!.attacks.map(({ as }) => as)).toEqual(["false", "true"]);
    expect(clientOf(sign!.settings[0]!).grants).toContain("defence");
    const only = tinyPlan(cellsOf(asked("sign"), ["weak"], [null]), { attacks: attacks.slice(1) });
    expect(clientOf(comparisonOf(only, only.cells[0]!).settings[0]!).grants).toContain("defence"); // or it could not begin
  });
});

describe("a trade-off", { timeout: 300_000 }, () => {
  const cells = cellsOf(asked("gaussian-dp", "selective-encryption"), ["strong"], [null]);

  test("trains each cell, attacks it at both places, and keeps a line for each, whatever stops it on the way", async () => {
    const whole = await begin(tinyPlan(cells));
    const { tradeoff, folder } = whole;
    expect(tradeoff.status).toBe("finished");
    expect(storedIn(folder)).toEqual(tradeoff);
    expect(tradeoff.table.map(({ cell, place }) => `${cell} ${place}`)).toEqual(
      ["none", "gaussian-dp-strong", "selective-encryption-strong"].flatMap((c) => [`${c} initial`, `${c} trained`]),
    );
    for (const line of tradeoff.table) {
      expect(line.attackers[0]).toMatchObject({
        attack: "inverting-gradients",
        trials: { planned: 1, scored: 1, failed: 0 },
      });
      expect(line.attackers[0]!.interval95Db![0]).toBeLessThanOrEqual(line.attackers[0]!.psnrDb!);
      expect(line.accuracyInterval95![0]).toBeLessThanOrEqual(line.accuracy!);
    }
    const [none, noised, hidden] = tradeoff.cells;
    const trialSpec = (cell: string, trial: string) =>
      JSON.parse(readFileSync(join(folder, "cells", cell, "trials", trial, "record.json"), "utf8")).spec;
    const own = trialSpec("gaussian-dp-strong", "trained-b2-inverting-gradients-s0");
    expect(own.model.weights).toBe(join(folder, "cells", "gaussian-dp-strong", "train", "weights.safetensors"));
    expect(own.client.defences).toEqual([{ name: "gaussian-dp", settings: expect.objectContaining({ sigma: 0.1 }) }]);
    expect(noised!.training!.privacy[0]).toMatch(/^no meaningful epsilon \(/); // sigma 0.1
    expect(hidden!.training!.loss).toBe(none!.training!.loss); // its average is what it would be without
    expect(noised!.training!.loss).not.toBe(none!.training!.loss);

    // stopped in a training, then in a trial, then resumed: the same numbers
    const stopAt = (found: (event: TradeoffEvent) => boolean) => {
      const stop = new AbortController();
      const onEvent = (event: TradeoffEvent) => {
        if (found(event)) stop.abort();
      };
      return { signal: stop.signal, onEvent };
    };
    const inTraining = stopAt((e) => e.kind === "training" && e.event.kind === "advance" && e.event.done === 2);
    const part = await begin(tinyPlan(cells), inTraining);
    expect(part.tradeoff.cells.map(({ status }) => status)).toEqual(["interrupted", "pending", "pending"]);
    const inTrial = stopAt(
      (e) => e.kind === "trial" && e.cell.name !== "none" && e.event.kind === "iteration" && e.event.iteration === 5,
    );
    const further = await resumeTradeoff(part.folder, quiet(inTrial));
    expect(further.tradeoff.cells.map(({ status }) => status)).toEqual(["finished", "interrupted", "pending"]);
    const trained: string[] = [];
    const onEvent = (e: TradeoffEvent) => {
      if (e.kind === "training" && e.event.kind === "advance") trained.push(e.cell.name);
    };
    const { tradeoff: end } = await resumeTradeoff(part.folder, quiet({ onEvent }));
    expect([...new Set(trained)]).toEqual(["selective-encryption-strong"]); // what was trained is not trained again
    expect(numbersOf(end)).toEqual(numbersOf(tradeoff));
    expect(readFileSync(join(part.folder, "note.txt"), "utf8")).toBe("drawn");
    await expect(resumeTradeoff(part.folder, quiet())).rejects.toThrow(/a cell that has not ended; got 3 cells/);
  });

  test("keeps a cell that diverges as a row, and the others go on", async () => {
    const chain = [{ name: "gaussian-dp", settings: { sigma: "1e38", clip: "1e3" } }];
    const { tradeoff } = await begin(tinyPlan(cellsOf([chain], ["weak"], [null]), { at: ["initial"] }));
    expect(tradeoff.cells.map(({ status }) => status)).toEqual(["finished", "failed"]);
    expect(tradeoff.cells[1]!.failure).toMatch(/must stay finite/);
    expect(tradeoff.table[1]).toMatchObject({ accuracy: null, floorDb: null });
  });

  test("begins a cell anew whose training left half a file, and leaves what it left", async () => {
    const out = join(freshFolder(), "t");
    const stop = new AbortController();
    const onEvent = (e: TradeoffEvent) => e.kind === "trained" && stop.abort();
    await begin(tinyPlan(undefined, { at: ["initial"] }), { onEvent, signal: stop.signal }, out);
    writeFileSync(join(out, "cells", "none", "train", "record.json"), '{"format":');
    const { tradeoff } = await resumeTradeoff(out, quiet());
    expect(tradeoff.status).toBe("finished");
    expect(existsSync(join(out, "cells", "none", "train.old", "record.json"))).toBe(true);
  });

  test("leaves nothing behind where it cannot begin", async () => {
    const root = freshFolder();
    const model = { model: { name: "resnet10", options: { width: 1 } } };
    const each = tinyPlan(cellsOf(asked("dp-sgd"), ["weak"], [null]), {}, model);
    await expect(begin(each, {}, join(root, "t"))).rejects.toThrow(/BatchNorm in train mode/);
    const many = tinyPlan(undefined, {}, { federation: { clients: 5000 } });
    await expect(begin(many, {}, join(root, "t"))).rejects.toThrow(/each of the 5000 clients must have an image/);
    expect(readdirSync(root)).toEqual([]);
  });
});
