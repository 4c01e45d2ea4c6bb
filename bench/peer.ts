import { type Comparison, inTurn } from "./in-turn.ts";
import type { StepOptions, StepResult } from "./step.ts";

type PeerResult = Pick<StepResult, "forward_ms" | "gradient_ms" | "step_ms" | "step_ms_min" | "peak_rss_mb"> & {
  readonly torch: string;
};

/** A step beside the peer's, in turn. */
export function compareWithPeer(
  options: StepOptions,
  command: string,
  pairs: number,
): Promise<Comparison<StepResult, PeerResult>> {
  const args = [options.model, String(options.batch), String(options.size)];
  const flags = { mode: options.mode, classes: options.classes, runs: options.runs, threads: options.threads };
  for (const [name, value] of Object.entries(flags)) if (value !== undefined) args.push(`--${name}`, String(value));
  const keys = ["forward_ms", "gradient_ms", "step_ms", "step_ms_min", "peak_rss_mb"] as const;
  return inTurn(["step", ...args], [command, ...args].join(" "), { keys, pairs });
}
