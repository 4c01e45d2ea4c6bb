/** `npm run fuzz`: damaged and hostile files, thousands of them, through every reader of files that come from others. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { FREE_BYTES, SLOWEST_MS, TIMES } from "./limits.ts";
import type { Outcome, Task } from "./worker.ts";

interface Problem {
  readonly index: number;
  readonly what: string;
}

const program = new Command("fuzz")
  .option("--cases <n>", "cases", Number, 10_000)
  .option("--from <n>", "the first one", Number, 0)
  .option("--seed <n>", "of the draws", Number, 0)
  .option("--json", "print the result as one JSON object");
program.parse();
const { cases, from, seed, json } = program.opts<{ cases: number; from: number; seed: number; json?: true }>();

const began = performance.now();
const outcomes: Outcome[] = [];
const problems: Problem[] = [];
for (let next = from; next < from + cases; ) next = await runFrom(next, from + cases);
for (const { index, ended, error, milliseconds, memoryBytes, sizeBytes } of outcomes) {
  if (ended === "crashed") problems.push({ index, what: `an error that is none of ours: ${error}` });
  if (milliseconds > SLOWEST_MS) problems.push({ index, what: `${Math.round(milliseconds)} ms` });
  if (memoryBytes > TIMES * sizeBytes + FREE_BYTES)
    problems.push({ index, what: `${memoryBytes} bytes for a file of ${sizeBytes}` });
}
report();
process.exitCode = problems.length > 0 ? 1 : 0;

/** Runs cases in a fresh process until it is done or gone; the number of the case to go on with. */
function runFrom(start: number, end: number): Promise<number> {
  const worker = fork(fileURLToPath(new URL("worker.ts", import.meta.url)), {
    execArgv: ["--import", import.meta.resolve("tsx"), "--expose-gc", "--max-old-space-size=1024"],
    serialization: "advanced",
  });
  let current: number | undefined;
  worker.on("message", (message: Outcome | { readonly begins: number }) => {
    if ("begins" in message) current = message.begins;
    else outcomes.push(message);
  });
  worker.send({ seed, from: start, to: end } satisfies Task);
  return new Promise((resolve, reject) => {
    worker.on("exit", (code, signal) => {
      if (code === 0) return resolve(end);
      if (current === undefined) return reject(new Error(`the worker ended before its first case: ${signal ?? code}`));
      const what =
        signal === "SIGKILL" ? `over ${SLOWEST_MS} ms, or killed` : `the process ended: ${signal ?? `status ${code}`}`;
      problems.push({ index: current, what });
      resolve(current + 1);
    });
  });
}

function report(): void {
  const rows = new Map<string, { files: Set<number>; read: number; refused: number }>();
  for (const { index, format, kind, ended } of outcomes) {
    const row = rows.get(`${format} ${kind}`) ?? { files: new Set(), read: 0, refused: 0 };
    row.files.add(index);
    if (ended !== "crashed") row[ended]++;
    rows.set(`${format} ${kind}`, row);
  }
  const most = (of: (o: Outcome) => number) => outcomes.reduce((a, b) => (of(b) > of(a) ? b : a), outcomes[0]!);
  const beyond = (o: Outcome) => o.memoryBytes - TIMES * o.sizeBytes;
  const [slowest, largest] = [most((o) => o.milliseconds), most(beyond)];
  const seconds = (performance.now() - began) / 1000;
  const told = {
    ...{ cases: new Set(outcomes.map(({ index }) => index)).size, reads: outcomes.length, seconds, problems },
    ...{ slowest, largest },
    rows: [...rows].map(([name, { files, read, refused }]) => ({ name, files: files.size, read, refused })),
  };
  if (json) console.log(JSON.stringify(told));
  else {
    for (const { name, files, read, refused } of told.rows.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      console.log(`${name.padEnd(24)} ${`${files}`.padStart(6)} files: ${read} read, ${refused} refused`);
    }
    console.log(
      `slowest: case ${slowest.index} (${slowest.format} ${slowest.kind}), ${Math.round(slowest.milliseconds)} ms`,
    );
    console.log(
      `most memory beyond ${TIMES} × its size: case ${largest.index} (${largest.format} ${largest.kind}), ${largest.memoryBytes} bytes for ${largest.sizeBytes}`,
    );
    for (const { index, what } of problems.slice(0, 20)) console.log(`PROBLEM in case ${index}: ${what}`);
    console.log(`${told.cases} cases, ${outcomes.length} reads, ${problems.length} problems, ${seconds.toFixed(0)} s`);
  }
}
