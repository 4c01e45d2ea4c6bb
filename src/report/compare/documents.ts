import type { BatchPictures, Comparison, ComparisonDocuments } from "../../audit/index.ts";
import { blankDocument } from "../page.ts";
import { comparisonFigure } from "./figure.ts";
import { comparisonCsv, comparisonMarkdown } from "./files.ts";
import { renderComparison } from "./render.ts";

/** The names of a comparison's files for people. */
export const REPORT_FILES = {
  report: "report.html",
  csv: "table.csv",
  markdown: "table.md",
  figure: "figure.svg",
} as const;

/** Every file of a comparison that people read, by its name. */
export function comparisonDocuments(comparison: Comparison, pictures: readonly BatchPictures[]): ComparisonDocuments {
  const figure = comparisonFigure(comparison, blankDocument());
  return {
    [REPORT_FILES.csv]: comparisonCsv(comparison),
    [REPORT_FILES.markdown]: `${comparisonMarkdown(comparison)}\n`,
    ...(figure !== undefined && { [REPORT_FILES.figure]: figure }),
    [REPORT_FILES.report]: renderComparison(comparison, pictures),
  };
}
