import { spawn } from "node:child_process";
import { fail } from "../src/util/index.ts";
import { median, type StepOptions, type StepResult } from "./step.ts";

type PeerResult = Pick<StepResult, "forward_ms" | "gradient_ms" | "step_ms" | "step_ms_min" | "peak_rss_mb">;

export interface Comparison {
  readonly ours: readonly StepResult[];
  readonly peer: readonly (PeerResult & { readonly torch: string })[];
  /** Ours over the peer's, pair by pair: median, least and greatest of the rounds. */
  readonly ratios: Readonly<Record<keyof PeerResult, { median: number; min: number; max: number }>>;
}

/** Runs both in turn, ours first, each in a fresh process, so that drift of the machine meets both alike. */
export async function compareWithPeer(options: StepOptions, command: string, rounds: number): Promise<Comparison> {
  const args = [options.model, String(options.batch), String(options.size)];
  const flags = { mode: options.mode, classes: options.classes, runs: options.runs, threads: options.threads };
  for (const [name, value] of Object.entries(flags)) if (value !== undefined) args.push(`--${name}`, String(value));
  const ours: StepResult[] = [];
  const peer: (PeerResult & { torch: string })[] = [];
  for (let round = 0; round < rounds; round++) {
    const own = [process.execPath, ...process.execArgv, process.argv[1]!, "step", ...args, "--json"];
    ours.push(await lastJson(own.map((word) => `'${word}'`).join(" ")));
    peer.push(await lastJson([command, ...args].join(" ")));
  }
  const ratio = (key: keyof PeerResult) => {
    const values = ours.map((result, i) => result[key] / peer[i]![key]);
    return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
  };
  const keys = ["forward_ms", "gradient_ms", "step_ms", "step_ms_min", "peak_rss_mb"] as const;
  return { ours, peer, ratios: Object.fromEntries(keys.map((key) => [key, ratio(key)])) as Comparison["ratios"] };
}

/** The JSON object on the last line that a shell command prints. */
async function lastJson<T>(command: string): Promise<T> {
  const child = spawn(command, { shell: true, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part) => {
    text += part;
  });
  const code = await new Promise<number | null>((resolve) => {
    child.on("close", resolve);
  });
  const last = text.trim().split("\n").at(-1)!;
  try {
    if (code === 0) return JSON.parse(last) as T;
  } catch {} // told below
  return fail({
    who: "bench",
    must: `"${command}" must succeed and print JSON on its last line`,
    got: code === 0 ? `"${last.slice(0, 80)}"` : `exit code ${code}`,
    remedy: "Run it by itself to see why.",
  });
}
