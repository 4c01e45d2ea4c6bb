import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { FILES, type RatePage, type RunRecord, rateRun, writeRatePage } from "../../src/audit/index.ts";
import { type RateSheet, rateSheet } from "../../src/audit/rate-sheet.ts";
import { parseVotes, rateVotes, type Votes } from "../../src/audit/rate-votes.ts";
import { writeSafetensors } from "../../src/tensor/index.ts";
import { freshFolder } from "../cli/fedleak.ts";
import { noise } from "../metrics/images.ts";
import { fakeRun } from "../report/fixture.ts";

let record: RunRecord;
let pairs: NonNullable<RunRecord["results"]>["pairs"]["oneToOne"];
beforeAll(async () => {
  record = (await fakeRun()).record;
  pairs = record.results!.pairs.oneToOne;
});

/** Votes on a sheet: of question q the place that `choose` says. */
function votesOn(
  sheet: RateSheet,
  rater: string,
  choose: (question: RateSheet["questions"][number], q: number) => number | null,
): Votes {
  const candidates = sheet.questions[0]!.candidates.length;
  const about = { format: "fedleak-votes", version: 1, rater, candidates, seed: sheet.seed, sheet: sheet.id } as const;
  return { ...about, choices: sheet.questions.map(choose) };
}

describe("the sheet of questions", () => {
  test("asks about each true image once, its reconstruction among different images of the batch", async () => {
    const { questions } = await rateSheet(pairs, { seed: 1, candidates: 5 });
    const asked = questions.map(({ candidates, answer }) => candidates[answer]!);
    expect([...asked].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const { reconstruction, candidates, answer } of questions) {
      expect(new Set(candidates).size).toBe(5);
      expect(pairs[candidates[answer]!]!.reconstructionIndex).toBe(reconstruction);
    }
  });

  test("is the same for the same seed; another seed gives another order and places of the answers", async () => {
    const [one, again, other] = await Promise.all([1, 1, 2].map((seed) => rateSheet(pairs, { seed, candidates: 5 })));
    expect(again).toEqual(one);
    expect(other!.id).not.toBe(one!.id);
    expect(other!.questions.map((q) => q.reconstruction)).not.toEqual(one!.questions.map((q) => q.reconstruction));
    const places = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      for (const { answer } of (await rateSheet(pairs, { seed, candidates: 5 })).questions) places.add(answer);
    }
    expect([...places].sort()).toEqual([0, 1, 2, 3, 4]); // the place gives nothing away
  });

  test("a batch of one cannot be rated", async () => {
    await expect(rateSheet(pairs.slice(0, 1), { seed: 1, candidates: 2 })).rejects.toThrow(
      "rate: candidates must be from 2 to the number of private images (1); got 2. Rate a run with a larger batch",
    );
  });
});

describe("votes", () => {
  test("give each rater's share, the majority's, the mean and guessing, whatever order each one saw", async () => {
    const [first, second] = [
      await rateSheet(pairs, { seed: 1, candidates: 4 }),
      await rateSheet(pairs, { seed: 2, candidates: 4 }),
    ];
    const knows = (images: readonly number[]) => (question: RateSheet["questions"][number]) =>
      images.includes(question.candidates[question.answer]!) ? question.answer : null;
    const rating = rateVotes([
      { file: "a", sheet: first, votes: votesOn(first, "a", knows([0, 1, 2, 3])) },
      { file: "b", sheet: second, votes: votesOn(second, "b", knows([0, 1])) },
      { file: "c", sheet: first, votes: votesOn(first, "c", knows([0, 2, 7])) },
    ]);
    expect(rating.raters).toEqual([
      { rater: "a", share: 4 / 8, unsure: 4 },
      { rater: "b", share: 2 / 8, unsure: 6 },
      { rater: "c", share: 3 / 8, unsure: 5 },
    ]);
    expect(rating.votes).toEqual({ given: 24, unsure: 15 });
    expect(rating.majorityChance).toBeCloseTo(3 * (1 / 4) ** 2 * (3 / 4) + (1 / 4) ** 3, 12); // two or three of three
    expect(rating.votesFor).toEqual([3, 2, 2, 1, 0, 0, 0, 1]);
    expect(rating.majority.share).toBe(3 / 8);
    expect(rating.mean.share).toBe(9 / 24);
    expect(rating.chance).toBe(1 / 4);
    const [low, high] = rating.majority.interval95;
    expect([low < 3 / 8, high > 3 / 8, high - low > 0.4]).toEqual([true, true, true]); // eight images say little
  });

  test("half of the raters are no majority; a wrong choice is not identified", async () => {
    const sheet = await rateSheet(pairs, { seed: 1, candidates: 3 });
    const right = votesOn(sheet, "a", ({ answer }) => answer);
    const wrong = votesOn(sheet, "b", ({ answer }) => (answer + 1) % 3);
    const rating = rateVotes([
      { file: "a", sheet, votes: right },
      { file: "b", sheet, votes: wrong },
    ]);
    expect(rating.majority.share).toBe(0);
    expect(rating.mean.share).toBe(0.5);
    expect(rating.raters.map(({ share }) => share)).toEqual([1, 0]);
  });

  test("of another run, incomplete, impossible, twice or of two kinds are refused", async () => {
    const sheet = await rateSheet(pairs, { seed: 1, candidates: 3 });
    const good = votesOn(sheet, "a", ({ answer }) => answer);
    const rate = (...votes: readonly Votes[]) => rateVotes(votes.map((each) => ({ file: "f", sheet, votes: each })));
    expect(() => rate()).toThrow("there must be votes");
    expect(() => rate({ ...good, sheet: "other" })).toThrow("votes f: they must be for this run and its page");
    expect(() => rate({ ...good, choices: [0] })).toThrow("there must be 8 answers; got 1");
    expect(() => rate({ ...good, choices: good.choices.map(() => 3) })).toThrow(
      "a choice must be below 3, or null; got 3",
    );
    expect(() => rate(good, { ...good, choices: good.choices.map(() => null) })).toThrow(
      'another person; got "a" again',
    );
    expect(() => rate(good, { ...good, rater: "b", candidates: 4 })).toThrow("among as many (3); got 4");
    expect(() => parseVotes("{", "f")).toThrow(
      "votes f: it must be a file that the page of fedleak rate saved; got no JSON",
    );
    expect(() => parseVotes(JSON.stringify({ ...good, rater: " " }), "f")).toThrow("got rater: ");
    expect(parseVotes(JSON.stringify(good), "f")).toEqual(good);
  });
});

describe("in a run's folder", () => {
  let folder: string;
  const written: RatePage[] = [];
  const render = (page: RatePage) => {
    written.push(page);
    return "<!doctype html>";
  };
  beforeAll(() => {
    folder = freshFolder();
    writeFileSync(join(folder, FILES.record), JSON.stringify(record));
    const images = { originals: noise([8, 3, 4, 4], 1), reconstructions: noise([8, 3, 4, 4], 2) };
    writeFileSync(join(folder, FILES.images), writeSafetensors(images));
  });

  test("the page gets the pictures and the candidates, but not the answers", async () => {
    const path = await writeRatePage(folder, { seed: 3, render });
    expect(readFileSync(path, "utf8")).toBe("<!doctype html>");
    const page = written[0]!;
    const { questions, id } = await rateSheet(pairs, { seed: 3, candidates: 5 });
    expect(page.sheet).toBe(id);
    expect(page.originals.length).toBe(8);
    expect(new Set([...page.originals, ...page.questions.map((q) => q.reconstruction)]).size).toBe(16);
    expect(page.questions.map((q) => q.candidates)).toEqual(questions.map((q) => q.candidates));
    expect(JSON.stringify(page)).not.toContain("answer");
    expect(Object.keys(page.questions[0]!)).toEqual(["reconstruction", "candidates"]);
  });

  test("votes become rating.json; the record stays as it was", async () => {
    const before = readFileSync(join(folder, FILES.record), "utf8");
    const sheet = await rateSheet(pairs, { seed: 3, candidates: 5 });
    const files = ["a", "b", "c"].map((rater) => {
      const file = join(folder, `${rater}.json`);
      writeFileSync(file, JSON.stringify(votesOn(sheet, rater, ({ answer }) => (rater === "c" ? null : answer))));
      return file;
    });
    const { rating, path } = await rateRun(folder, files);
    expect(rating.majority.share).toBe(1);
    expect(rating.mean.share).toBeCloseTo(2 / 3, 12);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(rating);
    expect(readFileSync(join(folder, FILES.record), "utf8")).toBe(before);
  });

  test("votes of a later call are added to those of before; the same file again changes nothing", async () => {
    const sheet = await rateSheet(pairs, { seed: 9, candidates: 5 });
    const file = join(folder, "d.json");
    writeFileSync(file, JSON.stringify(votesOn(sheet, "d", () => null)));
    const { rating, before } = await rateRun(folder, [file]);
    expect(before).toEqual(["a", "b", "c"]);
    expect(rating.raters.map(({ rater }) => rater)).toEqual(["a", "b", "c", "d"]);
    expect(rating.mean.share).toBeCloseTo(1 / 2, 12);
    expect((await rateRun(folder, [file, join(folder, "a.json")])).rating).toEqual(rating);
    writeFileSync(file, JSON.stringify(votesOn(sheet, "d", () => 0)));
    await expect(rateRun(folder, [file])).rejects.toThrow('another person; got "d" again');
    expect(JSON.parse(readFileSync(join(folder, "rating.json"), "utf8"))).toEqual(rating);
  });

  test("counted anew, or after a rating without votes, the rating of before is kept under another name", async () => {
    const text = readFileSync(join(folder, "rating.json"), "utf8");
    const { rating, setAside } = await rateRun(folder, [join(folder, "a.json")], { anew: true });
    expect(rating.raters).toHaveLength(1);
    expect(setAside).toBe(join(folder, "rating-1.json"));
    expect(readFileSync(setAside!, "utf8")).toBe(text);
    const older = JSON.stringify({ format: "fedleak-rating", version: 1, raters: [] });
    writeFileSync(join(folder, "rating.json"), older);
    const next = await rateRun(folder, [join(folder, "b.json")]);
    expect([next.before, readFileSync(join(folder, "rating-2.json"), "utf8")]).toEqual([[], older]);
    writeFileSync(join(folder, "rating.json"), "mine");
    await expect(rateRun(folder, [join(folder, "b.json")])).rejects.toThrow("got something else. Move it away");
    expect(readFileSync(join(folder, "rating.json"), "utf8")).toBe("mine");
  });

  test("a run without a score cannot be rated", async () => {
    const unscored = freshFolder();
    const { results: _, ...rest } = record;
    writeFileSync(join(unscored, FILES.record), JSON.stringify({ ...rest, status: "interrupted" }));
    await expect(writeRatePage(unscored, { seed: 0, render })).rejects.toThrow(
      "the run must have been scored; got a run that is interrupted. Continue it with fedleak resume.",
    );
    await expect(rateRun(freshFolder(), [])).rejects.toThrow("hold a readable record.json");
  });
});
