import { FedleakError } from "../util/index.ts";

/** A signal that the first Ctrl-C aborts, so that the work can end in order; the second one ends the process at once. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

/** Starts listening; `onFirst` is called at the first Ctrl-C. Dispose of it when the work is done. */
export function listenForInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  let firstAt = 0;
  const heard = () => {
    const now = performance.now();
    if (!controller.signal.aborted) {
      firstAt = now;
      controller.abort();
      onFirst();
    } else if (now - firstAt > ECHO_MS) {
      process.exit(INTERRUPTED);
    }
  };
  for (const name of SIGNALS) process.on(name, heard);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, heard);
    },
  };
}

/**
 * Ends work that a Ctrl-C stopped before there was anything to keep: says so on stderr, with `json` on stdout too.
 *
 * Returns the exit status. Throws `error` again when it is not of this interruption.
 */
export function endStopped(error: unknown, { aborted, reason }: AbortSignal, json: boolean): number {
  if (!aborted || !(error instanceof FedleakError) || error.cause !== reason) throw error;
  process.stderr.write(`${error.message}\n`);
  if (json) process.stdout.write(`${JSON.stringify({ status: "interrupted", message: error.message })}\n`);
  return INTERRUPTED;
}

/** The exit status of a process that Ctrl-C ended: 128 + SIGINT's number. */
export const INTERRUPTED = 130;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const ECHO_MS = 500; // one key press may arrive twice: from the terminal and again through npm or tsx
