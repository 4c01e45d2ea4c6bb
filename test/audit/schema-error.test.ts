import { describe, expect, test } from "vitest";
import { z } from "zod";
import { refuse } from "../../src/audit/schema-error.ts";

const whole = z.int().min(1).describe("a whole number ≥ 1");
const schema = z.strictObject({
  size: whole.default(4),
  kind: z.enum(["plain", "signed"]).default("plain").describe("plain or signed"),
  inner: z.strictObject({ rate: z.number().nullable().default(null).describe("a number or null") }).prefault({}),
  list: z.array(z.strictObject({ name: z.string().describe("a name") })).default([]),
  grants: z
    .array(z.enum(["labels", "batch-size"]))
    .default([])
    .describe("a list of grants"),
  seeds: z.array(whole).optional(),
  settings: z.record(z.string(), z.number()).default({}),
});

function complaint(request: unknown, words: { remedy?: string } = {}): string {
  const { error } = schema.safeParse(request);
  try {
    return refuse(error!, { schema, request, who: "plan", ...words });
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

describe("what a schema refused is told", () => {
  test.each([
    ["by the entry's description, through defaults", { size: 0 }, "plan size: it must be a whole number ≥ 1; got 0."],
    ["in nested entries", { inner: { rate: "x" } }, 'plan inner.rate: it must be a number or null; got "x".'],
    ["where an object should be", { inner: 3 }, "plan inner: it must be an object of entries; got 3."],
    ["where the whole is none", 7, "plan: it must be an object of entries; got 7."],
    [
      "of an unknown entry, with a suggestion",
      { sice: 1 },
      'plan: entry must be one of size, .*got "sice". Did you mean "size"',
    ],
    ["of an unknown entry in a list", { list: [{ nam: "a", name: "b" }] }, 'plan list.0: entry .* Did you mean "name"'],
    [
      "of a text that is none of those allowed",
      { kind: "sign" },
      'plan kind: kind must be one of plain, signed; got "sign"',
    ],
    [
      "of an item, with its place",
      { list: [{ name: "a" }, { name: 3 }] },
      "plan list.1.name: it must be a name; got 3.",
    ],
    ["of a described item", { seeds: [1, 0] }, "plan seeds.1: it must be a whole number ≥ 1; got 0."],
    [
      "of an item that only its list describes",
      { grants: ["labels", 3] },
      "plan grants: it must be a list of grants; got 3.",
    ],
    [
      "in zod's words where nobody wrote any",
      { settings: { tv: "x" } },
      'plan settings.tv: .*expected number.*; got "x".',
    ],
    ["of an entry that is missing", { list: [{}] }, "plan list.0.name: it must be a name; got nothing."],
  ])("%s", (_, request, words) => {
    expect(complaint(request)).toMatch(new RegExp(words));
  });

  test("with the remedy that it is given", () => {
    expect(complaint({ size: 0 })).toMatch(/Change it, or leave it away/);
    expect(complaint({ size: 0 }, { remedy: "See the manual." })).toMatch(/got 0\. See the manual\.$/);
  });
});
