import { spawn } from "node:child_process";
import { fail } from "../src/util/index.ts";
import { median } from "./step.ts";

/** What two programs print in turn, and ours over the peer's by key, pair by pair: median, least and greatest. */
export interface Comparison<Ours, Peer> {
  readonly ours: readonly Ours[];
  readonly peer: readonly Peer[];
  readonly ratios: Readonly<Record<string, { readonly median: number; readonly min: number; readonly max: number }>>;
}

/**
 * Runs this script with `args` and the peer's command in turn, ours first, each in a fresh process, so that drift of the machine
 * meets both alike; both print JSON on their last line. `keys`: the numbers to compare.
 */
export async function inTurn<Ours, Peer>(
  args: readonly string[],
  command: string,
  { keys, pairs }: { readonly keys: readonly (keyof Ours & keyof Peer & string)[]; readonly pairs: number },
): Promise<Comparison<Ours, Peer>> {
  const own = [process.execPath, ...process.execArgv, process.argv[1]!, ...args, "--json"];
  const ours: Ours[] = [];
  const peer: Peer[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    ours.push(await lastJson(own.map((word) => `'${word}'`).join(" ")));
    peer.push(await lastJson(command));
  }
  const ratio = (key: keyof Ours & keyof Peer) => {
    const values = ours.map((result, i) => Number(result[key]) / Number(peer[i]![key]));
    return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
  };
  return { ours, peer, ratios: Object.fromEntries(keys.map((key) => [key, ratio(key)])) };
}

/** A line for each ratio. */
export function ratioLines({ ratios }: Pick<Comparison<unknown, unknown>, "ratios">): string[] {
  return Object.entries(ratios).map(
    ([key, { median, min, max }]) =>
      `  ${key.padEnd(12)} ours/peer  ${median.toFixed(3)}  (${min.toFixed(3)} … ${max.toFixed(3)})`,
  );
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
