import { fail } from "../../util/index.ts";
import { lockFolder } from "../folder-lock.ts";
import type { RenderReport } from "../run-files.ts";
import { checkOut, checkWritable, defaultOut, makeRunFolder } from "../run-folder.ts";
import type { RenderTraining } from "../train/files.ts";
import { versions } from "../versions.ts";
import { isTaken } from "../write-file.ts";
import { trialsOf } from "./cell-trials.ts";
import type { Cell } from "./cells.ts";
import { checkCells } from "./check-cells.ts";
import type { CellPlan, TradeoffWatcher } from "./events.ts";
import type { TradeoffPlan } from "./plan.ts";
import { type CellRow, TRADEOFF_FORMAT, TRADEOFF_VERSION, type Tradeoff } from "./record.ts";
import { runCell } from "./run-cell.ts";
import { tradeoffTable } from "./table.ts";
import {
  readTradeoff,
  type TradeoffDocuments,
  writeFirstTradeoff,
  writeTradeoff,
  writeTradeoffDocuments,
} from "./tradeoff-folder.ts";

export interface TradeoffOptions extends TradeoffWatcher {
  /** Draws the reports of trainings and trials. Layer `report` has them. */
  readonly render: { readonly training: RenderTraining; readonly trial: RenderReport };
  /** Draws the trade-off: files by name. */
  readonly renderTradeoff: (tradeoff: Tradeoff) => TradeoffDocuments;
}

export interface TradeoffOutcome {
  readonly folder: string;
  readonly tradeoff: Tradeoff;
}

/**
 * Trains a model under each defence of a plan, attacks what its clients send, and writes table, figure and report.
 *
 * The folder is made only when the data was read and every training and trial was checked; a trade-off that cannot begin
 * leaves nothing behind. Throws FedleakError at bad input; a cell that fails later is a row.
 */
export async function startTradeoff(
  plan: TradeoffPlan,
  options: TradeoffOptions & { readonly out?: string | undefined; readonly command: string },
): Promise<TradeoffOutcome> {
  const startedAt = new Date();
  const out = options.out ?? defaultOut("tradeoff", plan.train.model.name, startedAt);
  await (options.out === undefined ? checkWritable(out) : checkOut(out));
  options.onEvent?.({ kind: "stage", text: "reading the data and checking every cell" });
  await checkCells(plan);
  const cells = plan.cells.map(({ name }): CellRow => ({ name, status: "pending", trials: [] }));
  const tradeoff: Tradeoff = {
    ...{ format: TRADEOFF_FORMAT, version: TRADEOFF_VERSION, status: "running" },
    ...{ startedAt: startedAt.toISOString(), command: options.command },
    ...{ plan, cells, table: tradeoffTable(plan, cells), versions: versions() },
  };
  const { folder, undo } = await makeRunFolder(out, { numbered: options.out === undefined });
  await using _ = await lockFolder(folder);
  try {
    await writeFirstTradeoff(folder, tradeoff);
  } catch (error) {
    if (!isTaken(error)) await undo(); // else the file is another trade-off's
    throw error;
  }
  return await conductCells(folder, tradeoff, options);
}

/**
 * Goes on with a trade-off that was stopped or killed: what is done is not done again, what was under way goes on from its
 * checkpoint, and the table comes out as if nothing had happened, the seconds apart.
 *
 * Throws FedleakError, and leaves everything as it is, when every cell has ended or the data is missing.
 */
export async function resumeTradeoff(folder: string, options: TradeoffOptions): Promise<TradeoffOutcome> {
  await readTradeoff(folder); // before anything is written there: it must be a trade-off's folder
  await using _ = await lockFolder(folder);
  const stored = await readTradeoff(folder);
  if (stored.status === "finished") {
    fail({
      who: `resume ${folder}`,
      must: "the trade-off must have a cell that has not ended",
      got: `${stored.cells.length} cells that have`,
      remedy: "Look at its report, or start another one.",
    });
  }
  options.onEvent?.({ kind: "stage", text: "reading the data and checking every cell" });
  await checkCells(stored.plan);
  return await conductCells(folder, { ...stored, status: "running" }, options);
}

async function conductCells(folder: string, begun: Tradeoff, options: TradeoffOptions): Promise<TradeoffOutcome> {
  const { plan, command } = begun;
  const { onEvent, signal, render } = options;
  const rows = new Map(begun.cells.map((row) => [row.name, row]));
  const now = (status: Tradeoff["status"]): Tradeoff => {
    const cells = plan.cells.map(({ name }) => rows.get(name)!);
    return { ...begun, status, cells, table: tradeoffTable(plan, cells) };
  };
  const save = async (row: CellRow) => {
    rows.set(row.name, row);
    await writeTradeoff(folder, now("running"));
  };
  const waiting = plan.cells.filter(({ name }) => rows.get(name)!.status !== "finished");
  onEvent?.({
    ...{ kind: "folder", folder },
    cells: waiting.map((cell) => leftOf(plan, cell, rows.get(cell.name)!)),
  });
  for (const cell of waiting) {
    if (signal?.aborted) break;
    const row = await runCell({ plan, cell, folder, command, render, save }, options);
    await save(row);
    onEvent?.({ kind: "ended", cell, row });
  }
  const ended = [...rows.values()].every(({ status }) => status === "finished" || status === "failed");
  const end = now(ended ? "finished" : "interrupted");
  await writeTradeoffDocuments(folder, options.renderTradeoff(end));
  await writeTradeoff(folder, end);
  return { folder, tradeoff: end };
}

/** What there is to do of a cell, by its row. */
function leftOf(plan: TradeoffPlan, cell: Cell, { training, trials }: CellRow): CellPlan {
  const done = trials.filter(({ status }) => status === "finished" || status === "failed").length;
  return { cell, training: training === undefined, trials: trialsOf(plan, cell).length - done };
}
