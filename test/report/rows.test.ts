import { parseHTML } from "linkedom/worker";
import { beforeAll, expect, test } from "vitest";
import { checkRecord, type RunRecord, type RunResults } from "../../src/audit/index.ts";
import { summaryText } from "../../src/cli/summary.ts";
import { renderReport, verdict } from "../../src/report/index.ts";
import { fakeRun } from "./fixture.ts";

type Table = NonNullable<RunResults["table"]>;

/** Eight rows of two columns; of the first column's cells `found` match, of the second's all. */
function tableOf(found: number, more: Partial<Table> = {}): Table {
  const hits = Array.from({ length: 8 }, (_, i) => [i < found, true]);
  const floors = { marginal: 0.25, drawn: 0.5 };
  const share = found / 8;
  return {
    ...{ tolerance: 0.05, matchRate: (share + 1) / 2, interval95: [0.5, 1], floors, beyondGuessing: true },
    ...{ wholeRows: share, hits, floorsFrom: "the 92 rows outside the batch" },
    columns: [
      { name: "<age>", kind: "numeric", matchRate: share, interval95: [0.4, 0.9], floors },
      { name: "job", kind: "categorical", matchRate: 1, interval95: [0.68, 1], floors },
    ],
    rows: hits.map((_, i) => ({
      ...{ trueIndex: i, reconstructionIndex: 7 - i },
      ...{ truth: [`${20 + i}`, "office"], rebuilt: [`${60 - i}`, "office"] },
    })),
    ...more,
  };
}

let base: RunRecord;
const withTable = (table: Table): RunRecord => ({ ...base, results: { ...base.results!, table } });
beforeAll(async () => {
  base = (await fakeRun()).record;
});

test("every row stands beside its reconstruction, what matches is marked, and no picture is shown", () => {
  const record = checkRecord(withTable(tableOf(6)), "r");
  const page = parseHTML(renderReport(record, { originals: [], reconstructions: [] })).document;
  const tables = [...page.querySelectorAll(".rows table")];
  expect(tables.length).toBe(8);
  const cells = (table: (typeof tables)[number]) =>
    [...table.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("th, td")].map((c) => c.textContent));
  expect(cells(tables[1]!).slice(0, 2)).toEqual([
    ["<age>", "21", "59", "●"],
    ["job", "office", "office", "●"],
  ]);
  expect(cells(tables[7]!)[0]).toEqual(["<age>", "27", "53", "differs"]);
  expect(page.querySelectorAll("img").length).toBe(0);
  expect(page.querySelector(".columns")!.textContent).toMatch(/job.*categorical.*100.*68.*25.*50/s);
  expect(page.querySelector("footer")!.textContent).toMatch(/private rows of the audited batch/);
});

test("the headline follows from the cells", () => {
  const headline = (table: Table) => verdict(withTable(table)).headline;
  expect(headline(tableOf(8))).toBe("The private rows were rebuilt, every cell.");
  expect(headline(tableOf(6))).toBe("The private rows were rebuilt in part.");
  const chance = { beyondGuessing: false };
  expect(headline(tableOf(6, chance))).toMatch(/^On average no more .* but in 1 of 2 columns more do\.$/);
  const none = tableOf(6, chance).columns.map((column) => ({ ...column, interval95: [0.1, 0.9] as const }));
  expect(headline(tableOf(6, { ...chance, columns: none }))).toBe("No more cells match than guessing finds.");
  expect(verdict(withTable(tableOf(6))).sentences.join(" ")).toMatch(/87\.5.% of the cells/);
});

test("the terminal tells each column beside its guesses", () => {
  const record = withTable(tableOf(6));
  const spec = { ...record.spec, model: { name: "mlp3", options: { inputShape: [1, 1, 9] } } };
  const text = summaryText({ record: { ...record, spec }, folder: "out" });
  expect(text).toMatch(/<age> +75 % +25 % +50 % +95 % interval 40 % to 90 %/);
  expect(text).toMatch(/whole rows +6 of 8/);
  expect(text).not.toMatch(/PSNR/);
});
