import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CASES = 600; // npm run fuzz takes 10,000

test("damaged and hostile ONNX, npz and safetensors files are read or refused, soon and in little memory", {
  timeout: 300_000,
}, async () => {
  const words = ["--import", "tsx", "bench/fuzz/main.ts", "--cases", `${CASES}`, "--json"];
  const run = await promisify(execFile)(process.execPath, words, { cwd: ROOT }).catch((failed) => failed);
  const told = JSON.parse(run.stdout);
  expect(told.problems).toEqual([]);
  expect(told.cases).toBe(CASES);
  // Each kind of damage was there, and the readers got somewhere: some files are still sound.
  const named = new Map<string, { read: number; refused: number }>(
    told.rows.map((row: { name: string }) => [row.name, row]),
  );
  for (const format of ["onnx", "npz", "safetensors"]) {
    for (const kind of ["truncated", "flipped", "random", "made", "hostile"]) {
      expect(named.get(`${format} ${kind}`)?.refused, `${format} ${kind}`).toBeGreaterThan(0);
    }
    expect([...named].some(([name, { read }]) => name.startsWith(format) && read > 0)).toBe(true);
  }
});
