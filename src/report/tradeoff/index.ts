export { adviceText, leakText, settingText } from "./advice-text.ts";
export { TRADEOFF_COLUMNS, type TradeoffColumn, tradeoffNote } from "./columns.ts";
export { TRADEOFF_REPORT_FILES, tradeoffDocuments } from "./documents.ts";
export { tradeoffFigure } from "./figure.ts";
export { tradeoffCsv, tradeoffMarkdown } from "./files.ts";
export { type Panel, panelsOf } from "./lines.ts";
export { renderTradeoff } from "./render.ts";
