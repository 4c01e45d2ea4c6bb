import { describe, expect, test } from "vitest";
import { type AdviceOptions, advise, completeTradeoff, type Tradeoff, tradeoffTable } from "../../src/audit/index.ts";
import { adviceText, tradeoffCsv, tradeoffDocuments, tradeoffMarkdown } from "../../src/report/index.ts";
import { dodged } from "../../src/report/tradeoff/labels.ts";
import { atSteps, type FakeCell, fakeTradeoff, LEAKING, lineAt } from "./tradeoff-fixture.ts";

const ANY: AdviceOptions = { keepAccuracy: null, marginDb: 1 };
const told = (tradeoff: Tradeoff, options = ANY) => {
  const { title, sentences } = adviceText(advise(tradeoff, options));
  return [title, ...sentences].join(" ");
};

describe("the table", () => {
  test("has means, intervals and the floor of each cell and place", () => {
    const line = lineAt(fakeTradeoff(), "none", "initial");
    const [worst] = line.attackers;
    expect(worst).toMatchObject({ psnrDb: 20, leakageDb: 8, trials: { planned: 2, scored: 2, failed: 0 } });
    const [low, high] = worst!.leakageInterval95Db!;
    expect([low, high]).toEqual(worst!.interval95Db!.map((db) => expect.closeTo(db - 12, 0))); // one floor for all: the same but for its draws
    expect(low).toBeLessThan(8);
    expect(high).toBeGreaterThan(8);
    expect(line).toMatchObject({ accuracy: 0.9, floorDb: 12, floorRangeDb: [12, 12], accuracyFloor: 0.1 });
    expect(line.accuracyInterval95![0]).toBeCloseTo(0.85, 2); // Wilson's for 180 of 200
    expect(line.accuracyInterval95![1]).toBeCloseTo(0.934, 3);
  });

  test("takes the leakage image by image: batches whose floors differ do not widen it", () => {
    const { plan, cells } = fakeTradeoff();
    const shifted = cells.map((row) => ({
      ...row,
      trials: row.trials.map((trial) => {
        const by = trial.seed * 6;
        const psnrDb = trial.result!.psnrDb.oneToOne.map((db) => db + by);
        const floor = { ...trial.result!.floor, psnrDb: 12 + by };
        return { ...trial, result: { ...trial.result!, psnrDb: { oneToOne: psnrDb, manyToOne: psnrDb }, floor } };
      }),
    }));
    const [plain] = lineAt(fakeTradeoff(), "none", "initial").attackers;
    const [moved] = tradeoffTable(plan, shifted)[0]!.attackers;
    expect(moved!.leakageInterval95Db![0]).toBeCloseTo(plain!.leakageInterval95Db![0], 9);
    expect(moved!.interval95Db![1] - moved!.interval95Db![0]).toBeGreaterThan(4);
  });

  test("puts the worst attacker first, whoever it is", () => {
    const { plan, cells } = fakeTradeoff();
    const two = completeTradeoff({
      ...JSON.parse(JSON.stringify(plan)),
      attack: { ...plan.attack, attacks: [...plan.attack.attacks, { name: "dlg" }] } as never,
    });
    const better = cells.map((row) => ({
      ...row,
      trials: row.trials.flatMap((trial) => {
        const psnrDb = trial.result!.psnrDb.oneToOne.map((db) => db + 1);
        const result = { ...trial.result!, psnrDb: { oneToOne: psnrDb, manyToOne: psnrDb } };
        return [trial, { ...trial, attack: "dlg", result }];
      }),
    }));
    const line = tradeoffTable(two, better)[0]!;
    expect(line.attackers.map(({ attack, psnrDb }) => [attack, psnrDb])).toEqual([
      ["dlg", 21],
      ["inverting-gradients", 20],
    ]);
  });
});

describe("the advice", () => {
  test("is the most accurate setting whose leakage stays within the margin at every place", () => {
    const advice = advise(fakeTradeoff(), ANY);
    expect(advice.outcome).toBe("recommended");
    expect(advice.recommended!.cell.name).toBe("quantise-strong"); // the weak one leaks at initial weights
    expect(advice.judged.map(({ cell, verdict }) => [cell.name, verdict])).toEqual([
      ["quantise-strong", "holds"],
      ["none", "leaks"],
      ["quantise-weak", "leaks"],
    ]);
    const words = told(fakeTradeoff());
    expect(words).toMatch(
      /^Use quantise-strong \(quantise: bits 1\), as far as naive attackers tell\. It keeps an accuracy of 70\.0 %, 77\.8 % of what/,
    );
    expect(words).toContain(
      "Without a defence inverting-gradients got 20.00 dB at initial weights, 8.00 dB above the floor",
    );
    expect(words).toContain("none of them knows the defence");
    expect(words).toContain("What its defences promise over the training: epsilon 1.00 at delta 1e-5.");
    expect(words).toContain("More accurate, or as accurate, but leaking: quantise-weak.");
    const mild = { ...LEAKING, "quantise-weak": { ...LEAKING["quantise-strong"]!, accuracy: 0.88 } };
    expect(advise(fakeTradeoff(mild), ANY).recommended!.cell.name).toBe("quantise-weak");
  });

  test("keeps the accuracy that was asked for, or says that it cannot", () => {
    expect(advise(fakeTradeoff(), { ...ANY, keepAccuracy: 0.75 }).outcome).toBe("recommended");
    const advice = advise(fakeTradeoff(), { ...ANY, keepAccuracy: 0.9 });
    expect(advice.outcome).toBe("none-holds");
    expect(told(fakeTradeoff(), { ...ANY, keepAccuracy: 0.9 })).toMatch(
      /^No setting that was tried can be advised\. .*quantise-strong .* but not the 90\.0 % of the undefended accuracy.*quantise-weak .*comes nearest/,
    );
  });

  test("goes by the interval, not by the mean, and by the margin", () => {
    expect(advise(fakeTradeoff(), { ...ANY, marginDb: 0.1 }).outcome).toBe("none-holds");
    const wide: FakeCell = {
      ...LEAKING["quantise-strong"]!,
      initial: [
        [8, 9],
        [16, 17],
      ],
    }; // mean 12.5
    expect(advise(fakeTradeoff({ ...LEAKING, "quantise-strong": wide }), ANY).outcome).toBe("none-holds");
  });

  test("is none where the attacks found nothing without a defence: defences cannot be judged then", () => {
    const nothing: FakeCell = {
      accuracy: 0.9,
      initial: [
        [11, 12.5],
        [11.5, 12],
      ],
      trained: [
        [10, 11],
        [11, 12],
      ],
    };
    const tradeoff = fakeTradeoff({ ...LEAKING, none: nothing });
    const advice = advise(tradeoff, ANY);
    expect(advice.outcome).toBe("blind");
    expect(advice.recommended).toBeNull();
    expect(new Set(advice.judged.map(({ verdict }) => verdict))).toEqual(new Set(["untold"]));
    expect(told(tradeoff)).toContain("cannot tell the defences apart");
  });

  test("judges each number of local steps, and each place, by its own cell without a defence", () => {
    const all = atSteps(1, 4);
    expect(advise(all, ANY).recommended!.cell.name).toBe("quantise-strong-s1");
    const blind: FakeCell["initial"] = [
      [9, 10],
      [9, 10],
    ];
    const quiet = (name: string, own: FakeCell) => ({
      ...own,
      accuracy: name === "none" ? 0.95 : 0.94,
      initial: blind,
      trained: blind,
    });
    const fourBlind = atSteps(1, 4, (steps, name, own) => (steps === 4 ? quiet(name, own) : own));
    const advice = advise(fourBlind, ANY);
    expect(advice.recommended!.cell.name).toBe("quantise-strong-s1"); // those of four steps are more accurate, and untold
    const verdicts = Object.fromEntries(advice.judged.map(({ cell, verdict }) => [cell.name, verdict]));
    expect(verdicts).toMatchObject({
      "none-s4": "untold",
      "quantise-weak-s4": "untold",
      "quantise-strong-s4": "untold",
    });
    const oneLeaks = atSteps(1, 4, (steps, name, own) =>
      steps === 4 ? { ...quiet(name, own), ...(name === "quantise-weak" && { initial: LEAKING.none!.initial }) } : own,
    );
    expect(advise(oneLeaks, ANY).judged.find(({ cell }) => cell.name === "none-s4")!.verdict).toBe("untold"); // no defence is never advised
    const half = advise(fakeTradeoff({ ...LEAKING, none: { ...LEAKING.none!, trained: blind } }), ANY);
    expect(half.recommended!.untoldAt).toEqual(["trained"]);
    expect(adviceText(half).sentences.join(" ")).toContain(
      "At trained weights the attacks found nothing without a defence",
    );
  });

  test("never advises no defence, even where it leaks less than the margin", () => {
    const faint: FakeCell["initial"] = [
      [12.3, 12.5],
      [12.4, 12.6],
    ];
    const none = { ...LEAKING.none!, initial: faint, trained: faint };
    const advice = advise(fakeTradeoff({ ...LEAKING, none }), ANY);
    expect(advice.judged.find(({ cell }) => cell.name === "none")!.verdict).toBe("untold");
    expect(advice.recommended!.cell.name).toBe("quantise-strong");
  });

  test("judges no setting of which a planned score is missing, and names it", () => {
    const whole = fakeTradeoff();
    const cells = whole.cells.map((row) => ({
      ...row,
      trials: row.trials.map((trial) => {
        const { result: _, ...rest } = trial;
        const lost = row.name === "quantise-strong" && trial.seed === 1 && trial.setting === "trained";
        return lost ? { ...rest, status: "failed" as const, failure: "x" } : trial;
      }),
    }));
    const advice = advise({ ...whole, cells, table: tradeoffTable(whole.plan, cells) }, ANY);
    expect(advice.outcome).toBe("none-holds");
    const strong = advice.judged.find(({ cell }) => cell.name === "quantise-strong")!;
    expect(strong).toMatchObject({
      verdict: "not-measured",
      missing: ["inverting-gradients at trained weights (1 of 2)"],
    });
    expect(adviceText(advice).sentences.join(" ")).toContain(
      "quantise-strong: inverting-gradients at trained weights (1 of 2)",
    );

    const [attack] = whole.plan.attack.attacks;
    const adaptive = { ...attack!, as: "adaptive", settings: { adaptive: true } };
    const plan = { ...whole.plan, attack: { ...whole.plan.attack, attacks: [attack!, adaptive] } };
    const never = advise({ ...whole, plan }, ANY);
    expect(never.recommended).toBeNull(); // the one that adapts has no score at all
    expect(never.judged.find(({ cell }) => cell.name === "none")!.missing).toEqual([]); // there it has no part
    const both = whole.cells.map((row) => ({
      ...row,
      trials: [
        ...row.trials,
        ...(row.name === "none" ? [] : row.trials.map((trial) => ({ ...trial, attack: "adaptive" }))),
      ],
    }));
    const told = advise({ ...whole, plan, cells: both, table: tradeoffTable(plan, both) }, ANY);
    expect(adviceText(told).title).toBe("Use quantise-strong (quantise: bits 1).");
  });

  test("says where the accuracies mean nothing, because no model was better than naming one class", () => {
    expect(told(fakeTradeoff())).not.toContain("commonest class");
    const dull = Object.fromEntries(Object.entries(LEAKING).map(([name, cell]) => [name, { ...cell, accuracy: 0.12 }]));
    expect(advise(fakeTradeoff(dull), ANY)).toMatchObject({ untrained: 0.1, outcome: "untrained", recommended: null });
    expect(told(fakeTradeoff(dull))).toContain("always naming the commonest class (10.0 %)");
  });

  test("does not judge what failed, and says so where nothing was attacked", () => {
    const { none, "quantise-weak": weak } = LEAKING;
    const advice = advise(fakeTradeoff({ none: none!, "quantise-weak": weak! }), ANY);
    expect(advice.judged.at(-1)).toMatchObject({ verdict: "not-measured", accuracy: null });
    expect(advise(fakeTradeoff({}), ANY).outcome).toBe("not-measured");
  });

  test("does not speak of smaller batches than one image", () => {
    const { plan, ...rest } = fakeTradeoff();
    const lone = { ...rest, plan: { ...plan, attack: { ...plan.attack, batchSize: 1 } } };
    expect(advise(lone, ANY).notTested).toContain("Other batch sizes than 1.");
  });

  test("names what it assumes and what was not tested: adaptive attackers unless there was one", () => {
    const { assumptions, notTested } = advise(fakeTradeoff(), ANY);
    expect(assumptions.join(" ")).toMatch(/mlp3 on embedded, 4 rounds of fedavg with 2 clients.*batch of 2/);
    expect(notTested[0]).toMatch(/knows the defence and re-applies it/);
    const tradeoff = fakeTradeoff();
    const [attack] = tradeoff.plan.attack.attacks;
    const adaptive = { ...attack!, as: "adaptive", settings: { adaptive: true } };
    const plan = { ...tradeoff.plan, attack: { ...tradeoff.plan.attack, attacks: [attack!, adaptive] } };
    expect(advise({ ...tradeoff, plan }, ANY).notTested.join(" ")).not.toMatch(/re-applies/);
  });

  test.each([
    [{ keepAccuracy: 0, marginDb: 1 }, /--keep-accuracy: it must be a share above 0 and of at most 1; got 0/],
    [{ keepAccuracy: 1.1, marginDb: 1 }, /got 1.1/],
    [{ keepAccuracy: null, marginDb: -1 }, /--margin: it must be a number of dB from 0 on; got -1/],
  ])("%j is refused", (options, complaint) => {
    expect(() => advise(fakeTradeoff(), options)).toThrow(complaint);
  });
});

describe("the documents", () => {
  const tradeoff = fakeTradeoff();
  const documents = tradeoffDocuments(tradeoff, advise(tradeoff, ANY));

  test("are a page without scripts, a figure on white, the table in two forms", () => {
    expect(Object.keys(documents).sort()).toEqual(["figure.svg", "report.html", "table.csv", "table.md"]);
    const page = documents["report.html"]!;
    expect(page).toContain("<h1>Use quantise-strong (quantise: bits 1), as far as naive attackers tell.</h1>");
    expect(page).toContain("fedleak tradeoff --defences &#39;a &amp; b&#39;");
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
    expect(page).toMatch(/aria-label="Updates at initial weights: none 90.%? ?.* accuracy, 20.00 dB/);
    const figure = documents["figure.svg"]!;
    expect(figure).not.toContain("var(");
    expect(figure.match(/<circle/g)!.length).toBeGreaterThanOrEqual(6); // three settings at two places
    expect(figure).toContain("floors: nothing leaked");
  });

  test("the CSV has a line for each setting, place and attacker, with full precision", () => {
    const [head, ...lines] = tradeoffCsv(tradeoff).trimEnd().split("\r\n");
    expect(lines).toHaveLength(6);
    const first = Object.fromEntries(head!.split(",").map((name, i) => [name, lines[0]!.split(",")[i]]));
    expect(first).toMatchObject({ setting: "none", weights: "initial", accuracy: "0.9", psnr_one_to_one_db: "20" });
    expect(first).toMatchObject({ worst: "true", floor_db: "12", above_floor_db: "8", trials_scored: "2" });
    expect(tradeoffMarkdown(tradeoff)).toContain("| none | 90.0 % |");
  });

  test("labels of dots at one place lie under each other, within the chart, and those apart stay", () => {
    const labels = [
      { x: 100, y: 50, text: "quantise weak" },
      { x: 104, y: 50, text: "sparsify weak" },
      { x: 110, y: 53, text: "sign" },
      { x: 400, y: 50, text: "none" },
    ];
    const moves = dodged(labels, [10, 300]);
    expect([moves[0], moves[3]]).toEqual([0, 0]);
    const heights = labels
      .slice(0, 3)
      .map(({ y }, i) => y + moves[i]!)
      .sort((a, b) => a - b);
    expect(heights[1]! - heights[0]!).toBeGreaterThanOrEqual(12);
    expect(heights[2]! - heights[1]!).toBeGreaterThanOrEqual(12);
    const low = dodged(
      labels.map((one) => ({ ...one, y: 295 })),
      [10, 300],
    );
    expect(Math.max(...low)).toBeLessThanOrEqual(5);
    expect(documents["figure.svg"]).toContain(">quantise weak</text>");
  });

  test("say at which learning rate several local steps were attacked", () => {
    expect(tradeoffMarkdown(tradeoff)).not.toContain("learning rate of the last round");
    expect(tradeoffMarkdown(atSteps(1, 4))).toContain(
      "the learning rate of the last round, by the schedule (cosine from 0.05)",
    );
  });

  test("a failed cell is told with its reason, escaped, and leaves no dot", () => {
    const { none } = LEAKING;
    const part = fakeTradeoff({ none: none! });
    const page = tradeoffDocuments(part, advise(part, ANY))["report.html"]!;
    expect(page).toContain("got &lt;NaN&gt; in round 3");
    expect(page).not.toContain("NaN accuracy");
    expect(tradeoffDocuments(fakeTradeoff({}), advise(fakeTradeoff({}), ANY))["figure.svg"]).toBeUndefined();
  });
});
