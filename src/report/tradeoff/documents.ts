import type { Advice, Tradeoff, TradeoffDocuments } from "../../audit/index.ts";
import { blankDocument } from "../page.ts";
import { tradeoffFigure } from "./figure.ts";
import { tradeoffCsv, tradeoffMarkdown } from "./files.ts";
import { renderTradeoff } from "./render.ts";

/** The names of a trade-off's files for people. */
export const TRADEOFF_REPORT_FILES = {
  report: "report.html",
  csv: "table.csv",
  markdown: "table.md",
  figure: "figure.svg",
} as const;

/** Every file of a trade-off that people read, by its name. */
export function tradeoffDocuments(tradeoff: Tradeoff, advice: Advice): TradeoffDocuments {
  const figure = tradeoffFigure(tradeoff, blankDocument());
  return {
    [TRADEOFF_REPORT_FILES.csv]: tradeoffCsv(tradeoff),
    [TRADEOFF_REPORT_FILES.markdown]: `${tradeoffMarkdown(tradeoff)}\n`,
    ...(figure !== undefined && { [TRADEOFF_REPORT_FILES.figure]: figure }),
    [TRADEOFF_REPORT_FILES.report]: renderTradeoff(tradeoff, advice),
  };
}
