import {
  type ChildProcess,
  type ChildProcessByStdio,
  type SpawnOptionsWithStdioTuple,
  type StdioNull,
  type StdioPipe,
  spawn,
} from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import sharp from "sharp";
import { commandLineBundle } from "./bundle.ts";

/** How a command ended. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command; `until` waits for text on stderr. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  until(text: RegExp): Promise<void>;
}

/** Runs the command line and waits for its end. */
export function fedleak(args: readonly string[], cwd = freshFolder()): Promise<Ended> {
  return start(args, cwd).ended;
}

/** Starts the command line, as a process of its own that a test may kill. */
export function start(args: readonly string[], cwd = freshFolder()): Running {
  return watch(spawn(process.execPath, [commandLineBundle(), ...args], { cwd, ...LIMITS }));
}

/** Runs the command line where no file may grow beyond `kib` KiB: what a full disk looks like. */
export function fedleakWithFullDisk(kib: number, args: readonly string[], cwd: string): Promise<Ended> {
  const words = ["-c", `ulimit -f ${kib}; exec "$@"`, "bash", process.execPath, commandLineBundle(), ...args];
  return watch(spawn("bash", words, { cwd, ...LIMITS })).ended;
}

const LIMITS: SpawnOptionsWithStdioTuple<StdioNull, StdioPipe, StdioPipe> = {
  stdio: ["ignore", "pipe", "pipe"],
  timeout: 110_000, // before vitest gives up, so that no process is left behind
  killSignal: "SIGKILL",
};

function watch(child: ChildProcessByStdio<null, Readable, Readable>): Running {
  let [stdout, stderr] = ["", ""];
  const waiting: (() => void)[] = [];
  child.stdout.on("data", (part) => {
    stdout += part;
  });
  child.stderr.on("data", (part) => {
    stderr += part;
    for (const look of waiting) look();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
  return {
    child,
    ended,
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = () => text.test(stderr) && resolve();
        waiting.push(look);
        look();
        ended.then(() => reject(new Error(`ended before ${text}: ${stderr}`)));
      }),
  };
}

/** An empty folder that nobody else uses. */
export function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), "fedleak-test-"));
}

/** An image folder of small PNG files; `contents` of a file are bytes, a number is a grey image of that level. */
export async function imageFolder(
  classes: Readonly<Record<string, Readonly<Record<string, number | Uint8Array>>>>,
): Promise<string> {
  const root = freshFolder();
  for (const [name, files] of Object.entries(classes)) {
    mkdirSync(join(root, name));
    for (const [file, content] of Object.entries(files)) {
      const png = (level: number) =>
        sharp({ create: { width: 12, height: 12, channels: 3, background: { r: level, g: 255 - level, b: 90 } } })
          .png()
          .toBuffer();
      writeFileSync(join(root, name, file), typeof content === "number" ? await png(content) : content);
    }
  }
  return root;
}
