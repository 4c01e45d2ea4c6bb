import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lockFolder } from "../../src/audit/folder-lock.ts";
import { fedleak, freshFolder, start } from "../cli/fedleak.ts";

const LOCK = new URL("../../src/audit/folder-lock.ts", import.meta.url).href;

/** Another process that holds a folder until it is told to end or is killed. */
async function holder(folder: string) {
  const script = `const { lockFolder } = await import(${JSON.stringify(LOCK)});
    await lockFolder(${JSON.stringify(folder)});
    process.stdout.write("held");
    process.stdin.once("data", () => process.exit(0));`;
  const args = ["--import", import.meta.resolve("tsx"), "--input-type=module", "-e", script];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"], timeout: 60_000 });
  await once(child.stdout, "data");
  return child;
}

test("a folder is one process's: another is refused, until the first gives it back, ends or is killed", {
  timeout: 60_000,
}, async () => {
  const folder = freshFolder();
  const file = join(folder, "lock.json");
  const first = await holder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(
    new RegExp(`one process at a time may work in it; got process ${first.pid} on`),
  );
  first.stdin.write("end");
  await once(first, "exit");
  expect(existsSync(file)).toBe(false);

  const second = await holder(folder);
  second.kill("SIGKILL");
  await once(second, "exit");
  expect(JSON.parse(readFileSync(file, "utf8")).pid).toBe(second.pid); // it had no time to remove it
  const mine = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(`got process ${process.pid}`); // nor twice in one process
  await mine[Symbol.asyncDispose]();
  expect(existsSync(file)).toBe(false);
});

test("of many that find a dead lock one gets the folder", async () => {
  const folder = freshFolder();
  const dead = { id: "x", pid: process.pid, bornMs: 0, host: hostname() }; // the number was given again
  writeFileSync(join(folder, "lock.json"), JSON.stringify(dead));
  const tries = await Promise.allSettled(Array.from({ length: 4 }, () => lockFolder(folder)));
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("a lock cut short is nobody's; one of another machine is respected", async () => {
  const [short, far] = [freshFolder(), freshFolder()];
  writeFileSync(join(short, "lock.json"), '{"pid"');
  await (await lockFolder(short))[Symbol.asyncDispose]();
  mkdirSync(far, { recursive: true });
  writeFileSync(join(far, "lock.json"), JSON.stringify({ id: "x", pid: 1, bornMs: 0, host: "elsewhere.example" }));
  await expect(lockFolder(far)).rejects.toThrow(/got process 1 on elsewhere.example.*remove .*lock\.json/);
});

test("fedleak resume leaves a run alone that another process is at", { timeout: 110_000 }, async () => {
  const out = join(freshFolder(), "run");
  const tiny = ["--model", "lenet-sigmoid", "--size", "8", "--threads", "1", "--batch", "1"];
  const run = start(["attack", ...tiny, "--attack", "inverting-gradients", "--iterations", "20000", "--out", out]);
  let ended = false;
  run.ended.then(() => {
    ended = true;
  });
  while (!ended && !existsSync(join(out, "state.safetensors"))) await new Promise((resolve) => setTimeout(resolve, 20));
  const { status, stderr } = await fedleak(["resume", out]);
  expect(stderr).toMatch(/one process at a time/);
  expect(status).toBe(2);
  run.child.kill("SIGKILL");
  await run.ended;
});
