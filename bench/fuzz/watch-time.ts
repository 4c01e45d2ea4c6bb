import { Worker } from "node:worker_threads";

/**
 * Ends this process when a case takes longer than `most` milliseconds of processor time, by a thread of its own.
 *
 * Not of the clock: on a busy machine a sound case may wait for minutes. The function that it gives starts a new case.
 */
export function watchTime(most: number): () => void {
  const number = new Int32Array(new SharedArrayBuffer(4));
  new Worker(THREAD, { eval: true, workerData: { number, most } }).unref();
  return () => Atomics.add(number, 0, 1);
}

const THREAD = `
const { workerData: { number, most } } = require("node:worker_threads");
const spent = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
let [current, began] = [0, spent()];
setInterval(() => {
  const now = Atomics.load(number, 0);
  if (now !== current) [current, began] = [now, spent()];
  else if (now > 0 && spent() - began > most) process.kill(process.pid, "SIGKILL");
}, 200);
`;
