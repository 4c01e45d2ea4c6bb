import { programStore, runTrial } from "../audit/index.ts";
import { renderReport } from "../report/index.ts";
import { FedleakError } from "../util/index.ts";
import type { FromWorker, ToWorker } from "./compare-jobs.ts";

/** The process of one trial of a comparison: takes a task, tells its events and its row, ends. `runApart` starts it. */
const stop = new AbortController();

process.on("message", async (message: ToWorker) => {
  if (message.kind === "stop") stop.abort();
  else await work(message);
});
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => undefined); // a terminal tells all at once; the parent decides
process.on("disconnect", () => process.exit()); // the parent is gone: the last checkpoint stands
tell({ kind: "ready" });

async function work({ task }: Extract<ToWorker, { kind: "task" }>): Promise<void> {
  try {
    const onEvent = (event: Extract<FromWorker, { kind: "event" }>["event"]) => tell({ kind: "event", event });
    const row = await runTrial(task, { render: renderReport, store: programStore(), onEvent, signal: stop.signal });
    tell({ kind: "row", row }, leave);
  } catch (error) {
    if (!(error instanceof FedleakError)) throw error;
    tell({ kind: "unwritable", message: error.message }, leave);
  }
}

function tell(message: FromWorker, then: () => void = () => undefined): void {
  if (process.connected) process.send!(message, undefined, undefined, then);
}

/** Ends the process once everything is told. */
function leave(): void {
  process.disconnect();
}
