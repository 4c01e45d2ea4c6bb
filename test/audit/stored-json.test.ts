import { describe, expect, test } from "vitest";
import { z } from "zod";
import { checkStored, hasFormat, parseStored } from "../../src/audit/stored-json.ts";
import { FedleakError } from "../../src/util/index.ts";

const SUM = {
  what: "a sum",
  format: "fedleak-sum",
  version: 2,
  schema: z.strictObject({
    format: z.literal("fedleak-sum"),
    version: z.literal(2),
    terms: z.array(z.number()),
    sum: z.number(),
  }),
  laws: ({ terms, sum }: { terms: number[]; sum: number }) =>
    terms.reduce((a, b) => a + b, 0) === sum ? [] : ["sum: must be that of the terms"],
  remedy: { damaged: "Add again.", foreign: "Pass a sum." },
};
const good = { format: "fedleak-sum", version: 2, terms: [1, 2], sum: 3 };

describe("a stored file", () => {
  test("is read as it was written", () => {
    expect(parseStored(JSON.stringify(good), "s.json", SUM)).toEqual(good);
  });

  test("that is cut short is no JSON, with the cause for those who can do without it", () => {
    const cut = () => parseStored('{"format":', "s.json", SUM);
    expect(cut).toThrow(/^s\.json: a sum must be JSON; got .* Add again\.$/);
    expect(cut).toThrow(expect.objectContaining({ cause: expect.any(SyntaxError) }));
    expect(cut).toThrow(FedleakError);
  });

  test.each([
    ["nothing", null, '"format" must be "fedleak-sum"; got none. Pass a sum.'],
    ["another format", { ...good, format: "x" }, '"format" must be "fedleak-sum"; got "x". Pass a sum.'],
    ["another version", { ...good, version: 1 }, '"version" must be 2; got 1. Read it with the version'],
    ["a wrong entry", { ...good, sum: "3" }, "a sum must follow fedleak-sum version 2; got sum: "],
    ["an unknown entry", { ...good, more: 1 }, "got sum: Unrecognized key"],
    ["a contradiction", { ...good, sum: 4 }, "got sum: must be that of the terms."],
  ])("is refused: %s", (_, value, words) => {
    expect(() => checkStored(value, "s.json", SUM)).toThrow(words);
  });

  test("is known by its format, sound or not", () => {
    expect(['{"format":"fedleak-sum"}', "{}", "null", "half {"].map((text) => hasFormat(text, "fedleak-sum"))).toEqual([
      true,
      ...[false, false, false],
    ]);
  });
});
