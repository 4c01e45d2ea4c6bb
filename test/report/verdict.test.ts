import { beforeAll, describe, expect, test } from "vitest";
import type { RunRecord, RunResults } from "../../src/audit/index.ts";
import { shareInterval95 } from "../../src/metrics/index.ts";
import { verdict } from "../../src/report/verdict.ts";
import { fakeRun } from "./fixture.ts";

let base: RunRecord;
beforeAll(async () => {
  base = (await fakeRun()).record;
});

/** The run with these PSNRs per image against a flat-grey floor of 12 dB and, if given, a mismatched one. */
function run(psnrs: readonly number[], mismatchedDb?: number): RunRecord {
  const results = base.results as RunResults;
  const mean = psnrs.reduce((sum, value) => sum + value, 0) / psnrs.length;
  const rows = psnrs.map((psnrDb, i) => ({ ...results.pairs.oneToOne[i]!, psnrDb }));
  const flat = { psnrDb: 12, ssim: 0.1, msSsim: 0.1, perImagePsnrDb: psnrs.map(() => 12) };
  return {
    ...base,
    results: {
      ...results,
      identification: null,
      psnrDb: { oneToOne: mean, manyToOne: mean },
      pairs: { oneToOne: rows, manyToOne: rows },
      floors: {
        flatGrey: flat,
        flatMean: flat,
        ...(mismatchedDb === undefined ? {} : { mismatchedGradient: { psnrDb: mismatchedDb, ssim: 0.1, msSsim: 0.1 } }),
      },
    },
  };
}

test("says how much of the floor's error is gone, and how many images can be told from others", () => {
  const { sentences } = verdict(base);
  const said = sentences.join(" ").replaceAll("\u00a0", " ");
  const { share } = base.results!.leakage.oneToOne;
  expect(said).toContain(
    `Image by image, ${Number((share * 100).toPrecision(3))} % of the best floor's squared error is gone.`,
  );
  expect(said).toContain("By SSIM, 8 of 8 images can be told from 9 others of the data (guessing finds 10 %).");
  const without = { ...base, results: { ...base.results!, identification: null } };
  expect(verdict(without).sentences.join(" ")).not.toContain("can be told");
});

describe("headline", () => {
  test.each([
    [[31, 33], "The private images were rebuilt almost exactly."],
    [[16, 17], "The private images were rebuilt in part."],
    [[13, 14], "On average the reconstructions come slightly closer than a blank or average picture."],
    [[12, 13], "On average the reconstructions come no closer than a blank or average picture."],
    [[8, 16], "On average the reconstructions come no closer than a blank or average picture, but 1 of 2 stands out."],
    [
      [16, 16, 7],
      "On average the reconstructions come slightly closer than a blank or average picture, but 2 of 3 stand out.",
    ],
  ])("of %j dB against 12 dB", (psnrs, headline) => {
    expect(verdict(run(psnrs)).headline).toBe(headline);
  });

  test("of images that squared error does not see, but that can be told from others", () => {
    const known = (psnrs: readonly number[], share: number) => {
      const { results, ...rest } = run(psnrs);
      const identified = psnrs.map((_, i) => i < share * psnrs.length);
      const row = {
        measure: "ssim",
        share: { oneToOne: share, manyToOne: share },
        interval95: { oneToOne: shareInterval95(share, psnrs.length), manyToOne: [0, 1] as const },
        identified: { oneToOne: identified, manyToOne: identified },
      };
      const identification = { distractors: 9, chance: 0.1, by: [row] };
      return verdict({ ...rest, results: { ...results!, identification } }).headline;
    };
    const said = "On average the reconstructions come no closer than a blank or average picture.";
    expect(known([12, 12, 12, 12], 1)).toBe(`${said} Still, 4 of 4 can be told from others.`);
    expect(known([12, 12, 12, 12], 0.25)).toBe(said); // 1 of 4: guessing may do that
    expect(known([12], 1)).toBe(
      "The reconstruction comes no closer than a blank or average picture. Still, it can be told from others.",
    );
    expect(known([31, 33], 1)).toBe("The private images were rebuilt almost exactly.");
  });

  test("compares with the highest floor, also the mismatched one", () => {
    expect(verdict(run([16, 17], 16)).headline).toContain("no closer");
    expect(verdict(run([16, 17], 16)).sentences[0]).toContain("(mismatched gradient, 16.00");
    expect(verdict(run([31, 33], 31)).headline).not.toContain("almost exactly");
  });
});

describe("sentences", () => {
  test("name the margin and its side, the extremes and the count over their own floor", () => {
    const text = verdict(run([10, 9, 16]))
      .sentences.join(" ")
      .replaceAll("\u00a0", " ");
    expect(text).toContain("a mean of 11.67 dB over 3 images: 0.33 dB below the highest floor (flat mean, 12.00 dB).");
    expect(text).toContain("Most exposed is image 2 at 16.00 dB, least exposed image 1 at 9.00 dB.");
    expect(text).toContain("1 of 3 images lies 3 dB or more above their own highest floor.");
    expect(text).toContain("Look at the pictures too");
    expect(verdict(run([16, 17])).sentences.join(" ")).not.toContain("Look at the pictures too");
  });

  test("say less of a single image", () => {
    const { headline, sentences } = verdict(run([14]));
    expect(headline).toBe("The reconstruction comes slightly closer than a blank or average picture.");
    expect(sentences[0]!.replaceAll("\u00a0", " ")).toBe(
      "The reconstruction reaches 14.00 dB: 2.00 dB above the highest floor (flat mean, 12.00 dB).",
    );
    expect(verdict(run([40])).headline).toBe("The private image was rebuilt almost exactly.");
    expect(sentences.join(" ")).not.toContain("Most exposed");
  });
});

describe("without results", () => {
  test.each([
    ["running", "The run is still going."],
    ["interrupted", "The run was interrupted."],
  ] as const)("%s", (status, headline) => {
    const { results: _, ...rest } = base;
    const said = verdict({ ...rest, status, curve: base.curve.slice(0, 43) });
    expect(said.headline).toBe(headline);
    expect(said.sentences[0]).toContain("420 iterations");
    expect(said.sentences.join(" ").includes("fedleak resume")).toBe(status === "interrupted");
  });

  test("failed", () => {
    const { results: _, ...rest } = base;
    const said = verdict({ ...rest, status: "failed", failure: "the loss became NaN at iteration 12", curve: [] });
    expect(said.headline).toBe("The run failed.");
    expect(said.sentences[0]).toBe("Reason: the loss became NaN at iteration 12");
    expect(said.sentences.join(" ")).toContain("No iteration was recorded.");
  });
});
