import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type RunEvent, rowLeftBy, type TrialRow, type TrialTask, type Watcher } from "../audit/index.ts";
import { FedleakError } from "../util/index.ts";

/** What the process of a trial is told. */
export type ToWorker = { readonly kind: "task"; readonly task: TrialTask } | { readonly kind: "stop" };

/** What it tells. `unwritable`: an error of writing, which every trial would meet. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "event"; readonly event: RunEvent }
  | { readonly kind: "row"; readonly row: TrialRow }
  | { readonly kind: "unwritable"; readonly message: string };

/**
 * Runs a trial in a process of its own: this program from its other entry, `compare-worker`.
 *
 * A process that ends without a word, killed for its memory for one, leaves the row that its record tells, or an interrupted
 * trial that a resume goes on with. When this process dies, the other one ends too.
 */
export function runApart(task: TrialTask, { onEvent, signal }: Watcher): Promise<TrialRow> {
  const child = fork(WORKER, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const tell = (message: ToWorker) => child.connected && child.send(message);
  const stop = () => tell({ kind: "stop" });
  return new Promise<TrialRow>((resolve, reject) => {
    child.on("message", (message: FromWorker) => {
      if (message.kind === "ready") {
        tell({ kind: "task", task });
        if (signal?.aborted) stop();
      }
      if (message.kind === "event") onEvent?.(message.event);
      if (message.kind === "row") resolve(message.row);
      if (message.kind === "unwritable") reject(unwritable(task, message.message));
    });
    child.on("error", reject);
    child.on("exit", (status, by) => resolve(rowLeftBy(task, by === null ? `status ${status}` : by))); // its last message may come later
    signal?.addEventListener("abort", stop);
  }).finally(() => signal?.removeEventListener("abort", stop));
}

const WORKER = fileURLToPath(new URL(`./compare-worker${extname(import.meta.url)}`, import.meta.url)); // .ts, or .js when built

function unwritable({ folder }: TrialTask, message: string): FedleakError {
  return new FedleakError({
    who: `write ${folder}`,
    must: "the trial must be able to write there",
    got: `"${message}"`,
    remedy: "Mend that, then go on with fedleak resume.",
  });
}
