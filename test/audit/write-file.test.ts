import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defaultOut, makeRunFolder } from "../../src/audit/run-folder.ts";
import { isTaken, writeKeeping, writeNew, writeWhole } from "../../src/audit/write-file.ts";
import { freshFolder } from "../cli/fedleak.ts";

test("a file that cannot be written leaves the old one and no rest", async () => {
  const folder = freshFolder();
  const path = join(folder, "taken");
  mkdirSync(path); // a folder in the file's place: the last step fails
  await expect(writeWhole(path, "new")).rejects.toThrow(/write .*taken: the run must be able to write there/);
  expect(readdirSync(folder)).toEqual(["taken"]);
  await expect(writeWhole(join(folder, "no", "such"), "x")).rejects.toThrow(/got a path that cannot exist/);
});

test("the state before is kept, through any number of writes", async () => {
  const folder = freshFolder();
  const [path, previous] = [join(folder, "state"), join(folder, "previous")];
  for (const [i, content] of ["1", "2", "3"].entries()) {
    await writeKeeping(path, previous, content);
    expect(readFileSync(path, "utf8")).toBe(content);
    if (i > 0) expect(readFileSync(previous, "utf8")).toBe(String(i));
  }
  expect(readdirSync(folder).sort()).toEqual(["previous", "state"]);
});

test("what is written, and every folder made for it, is its owner's alone", async () => {
  const root = freshFolder();
  const { folder } = await makeRunFolder(join(root, "trials", "a"));
  await writeWhole(join(folder, "images"), "x");
  await writeNew(join(folder, "record"), "x");
  await writeKeeping(join(folder, "images"), join(folder, "before"), "y");
  for (const file of ["images", "record", "before"]) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  expect(statSync(join(root, "trials")).mode & 0o777).toBe(0o700);
});

test("undoing a run's folder takes what was made for it and nothing else", async () => {
  const root = freshFolder();
  const { undo } = await makeRunFolder(join(root, "a", "b"));
  writeFileSync(join(root, "a", "b", "record.json"), "{}");
  await undo();
  expect(readdirSync(root)).toEqual([]);

  const other = await makeRunFolder(join(root, "a", "b"));
  writeFileSync(join(root, "a", "mine"), "");
  await other.undo();
  expect(readdirSync(join(root, "a"))).toEqual(["mine"]);
});

test("of two runs that begin in the same second each has a folder, which its owner alone may read", async () => {
  const out = join(freshFolder(), "runs", "a");
  const made = await Promise.all([1, 2, 3].map(() => makeRunFolder(out, { numbered: true })));
  expect(made.map(({ folder }) => folder).sort()).toEqual([out, `${out}-2`, `${out}-3`]);
  for (const { folder } of made) expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test("a folder that was named is taken only empty, and by one run", async () => {
  const out = join(freshFolder(), "a");
  mkdirSync(out);
  expect((await makeRunFolder(out)).folder).toBe(out);
  expect(statSync(out).mode & 0o777).toBe(0o700); // whatever it was before
  const tries = await Promise.allSettled(["1", "2"].map((text) => writeNew(join(out, "record.json"), text)));
  const lost = tries.filter((one) => one.status === "rejected");
  expect(lost).toHaveLength(1);
  expect(isTaken(lost[0]!.reason)).toBe(true);
  expect(String(lost[0]!.reason)).toMatch(/got a file of another run/);
  await expect(makeRunFolder(out)).rejects.toThrow(/must be empty; got 1 entry/);
});

test("a run is named after attack, model and time", () => {
  const now = new Date(2026, 2, 14, 9, 26, 53);
  expect(defaultOut("fedleak", "resnet10", now)).toBe(join("runs", "fedleak-resnet10-20260314-092653"));
});
