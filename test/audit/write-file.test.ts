import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defaultOut, makeRunFolder } from "../../src/audit/run-folder.ts";
import { writeKeeping, writeWhole } from "../../src/audit/write-file.ts";
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

test("a run is named after attack, model and time", async () => {
  const now = new Date(2026, 2, 14, 9, 26, 53);
  expect(await defaultOut("fedleak", "resnet10", now)).toBe(join("runs", "fedleak-resnet10-20260314-092653"));
});
