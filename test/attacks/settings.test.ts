import { describe, expect, it } from "vitest";
import { ATTACKS, completeSettings, findAttack, SETTINGS, settingsLedger } from "../../src/attacks/index.ts";

const FEDLEAK = findAttack("fedleak");

describe("completeSettings", () => {
  it("gives the preset's values where nothing is overridden", () => {
    const settings = completeSettings(FEDLEAK);
    expect(Object.keys(settings).sort()).toEqual(Object.keys(SETTINGS).sort());
    expect(settings).toMatchObject({ maskRatio: 0.5, tv: 1e-5, optimiser: "adam", clamp: true, iterations: 10_000 });
  });

  it("reads texts as the setting's type", () => {
    const settings = completeSettings(FEDLEAK, { tv: "1e-3", signed: "true", iterations: "50", schedule: "cosine" });
    expect(settings).toMatchObject({ tv: 1e-3, signed: true, iterations: 50, schedule: "cosine" });
  });

  it.each([
    [{ maskRation: 0.5 }, 'Did you mean "maskRatio"?'],
    [{ maskRatio: 0 }, "setting maskRatio: value must be a number in 0.000001 … 1; got 0"],
    [{ maskRatio: 1.5 }, "got 1.5"],
    [{ gamma: "half" }, 'setting gamma: value must be a number in 0 … 1; got "half"'],
    [{ gamma: "" }, 'got ""'],
    [{ gamma: Number.NaN }, "got NaN"],
    [{ gamma: true }, "got true"],
    [{ iterations: 2.5 }, "setting iterations: value must be an integer in 1"],
    [{ medianFilter: 4 }, "setting medianFilter: value must be 0 or an odd integer up to 31; got 4"],
    [{ optimiser: "lbfgs" }, 'setting optimiser: value must be one of adam, adamw, sgd, l-bfgs, cma-es; got "lbfgs"'],
    [{ signed: "yes" }, 'setting signed: value must be true or false; got "yes"'],
    [
      { restarts: 4, evaluations: 7 },
      "evaluations must allow at least one iteration; got 7, where an iteration takes 8",
    ],
    [{ l1Weight: 0, cosineWeight: 0 }, "one of l1Weight, cosineWeight, l2Weight must be above 0"],
    [{ optimiser: "cma-es" }, "labels are optimised by gradient; got cma-es"],
    [{ optimiser: "l-bfgs", polish: 0.5 }, "polish and averageFrom need an optimiser"],
    [{ optimiser: "l-bfgs", restarts: 2, groupConsistency: 1 }, "evaluates each point afresh"],
    [{ maskScope: "none" }, "a maskRatio below 1 needs a maskScope"],
  ])("refuses %j", (overrides, message) => {
    expect(() => completeSettings(FEDLEAK, overrides)).toThrow(message);
  });

  it("accepts 0 and odd widths of the median filter", () => {
    for (const medianFilter of [0, 1, 5, "7"]) {
      expect(completeSettings(FEDLEAK, { medianFilter }).medianFilter).toBe(Number(medianFilter));
    }
  });
});

describe("a budget of evaluations", () => {
  it.each([
    [{ evaluations: 100 }, 50], // γ > 0: two an iteration
    [{ evaluations: 100, gamma: 0 }, 100],
    [{ evaluations: 100, gamma: 0, restarts: 4 }, 25],
    [{ evaluations: 100, iterations: 30 }, 30],
    [{ evaluations: 100, optimiser: "l-bfgs" }, 100],
    [{ evaluations: 100, optimiser: "cma-es", population: 20, labels: "inferred" }, 5],
    [{ evaluations: 150, polish: 0.5 }, 100], // two an iteration, then one
    [{ evaluations: 300, gamma: 0, polish: 0.4 }, 300],
  ])("%j plans %d iterations", (overrides, iterations) => {
    const settings = completeSettings(FEDLEAK, overrides as Record<string, string | number>);
    expect(settings.iterations).toBe(iterations);
    expect(completeSettings(FEDLEAK, settings)).toEqual(settings); // completing twice changes nothing
  });
});

describe("presets", () => {
  it.each(Object.values(ATTACKS))("$name is complete, consistent and says where each value comes from", (preset) => {
    completeSettings(preset);
    for (const [name, { origin, note }] of Object.entries(preset.settings)) {
      expect(["paper", "release", "source", "our-choice"], name).toContain(origin);
      expect(note.length, name).toBeGreaterThan(3);
    }
    expect(preset.requires).toContain("batch-size");
  });

  it("never calls a choice of ours the paper's", () => {
    // What METHODS marks [C], and what the paper's text at hand has lost.
    for (const name of ["maskScope", "gamma", "lookahead", "lookaheadStep", "learningRate"] as const) {
      expect(FEDLEAK.settings[name].origin, name).toBe("our-choice");
    }
  });

  it("are found by name, with a suggestion", () => {
    expect(findAttack("fedleak-release").settings.parameterisation.value).toBe("generator");
    expect(() => findAttack("fedleek")).toThrow('Did you mean "fedleak"?');
  });
});

describe("settingsLedger", () => {
  it("has a row for every setting that acts; an overridden one is the user's and remembers the preset's", () => {
    const rows = settingsLedger(FEDLEAK, completeSettings(FEDLEAK, { gamma: 0.3 }));
    expect(rows.map(({ name }) => name)).not.toContain("generatorChannels");
    expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(["gamma", "tv", "labels", "iterations"]));
    expect(rows.find(({ name }) => name === "gamma")).toEqual({
      name: "gamma",
      value: 0.3,
      origin: "user",
      note: "the preset's value is 0.5 (our-choice)",
    });
    expect(rows.find(({ name }) => name === "maskRatio")).toMatchObject({ value: 0.5, origin: "paper" });
  });
});

describe("a setting without effect", () => {
  it.each([
    [{ maskRatio: 1, maskScope: "per-tensor" }, "maskScope", "maskRatio is 1"],
    [{ generatorChannels: 8 }, "generatorChannels", "no generator is optimised"],
    [{ gamma: 0, lookahead: "uphill" }, "lookahead", "gamma is 0"],
    [{ labels: "inferred", labelLearningRate: 1 }, "labelLearningRate", "labels are not optimised"],
  ])("%j is told in the ledger", (overrides, name, why) => {
    const rows = settingsLedger(FEDLEAK, completeSettings(FEDLEAK, overrides as Record<string, string | number>));
    expect(rows.find((row) => row.name === name)?.note).toContain(`no effect here: ${why}`);
    const active = settingsLedger(FEDLEAK, completeSettings(FEDLEAK, { gamma: 0.4 }));
    expect(active.find((row) => row.name === "gamma")?.note).not.toContain("no effect");
  });
});
