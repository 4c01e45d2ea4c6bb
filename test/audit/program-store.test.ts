import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, expect, test, vi } from "vitest";
import { programStore } from "../../src/audit/index.ts";

const root = mkdtempSync(join(tmpdir(), "fedleak-programs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const key = (n: number) => n.toString(16).padStart(64, "0");
const bytes = (n: number, size = 100) => new Uint8Array(size).fill(n);

test("what was written is read again, by another process's store too; what was not, is not there", async () => {
  const folder = join(root, "plain", "deep");
  const store = programStore({ folder });
  expect(await store.read(key(1))).toBeUndefined();
  await store.write(key(1), bytes(7));
  expect(new Uint8Array((await programStore({ folder }).read(key(1)))!)).toEqual(bytes(7));
  await store.write(key(1), bytes(8));
  expect(new Uint8Array((await store.read(key(1)))!)).toEqual(bytes(8));
  expect(readdirSync(folder)).toEqual([key(1)]); // no temporary file is left
  expect(statSync(join(folder, key(1))).mode & 0o077).toBe(0); // nobody else's to read
});

test("beyond the limit the oldest go, where reading makes new", async () => {
  const folder = join(root, "limit");
  const store = programStore({ folder, limit: 350 });
  for (const n of [1, 2, 3]) {
    await store.write(key(n), bytes(n));
    utimesSync(join(folder, key(n)), n, n); // seconds of 1970
  }
  await store.read(key(1));
  await store.write(key(4), bytes(4));
  expect(readdirSync(folder).sort()).toEqual([key(1), key(3), key(4)]);
  await store.write(key(5), bytes(5, 400)); // larger than all may be
  expect(readdirSync(folder).sort()).toEqual([key(1), key(3), key(4)]);
});

test("a folder that cannot be made or written keeps nothing and says nothing", async () => {
  const file = join(root, "file");
  writeFileSync(file, "");
  const store = programStore({ folder: join(file, "programs") });
  await store.write(key(1), bytes(1));
  expect(await store.read(key(1))).toBeUndefined();

  const folder = join(root, "closed");
  const closed = programStore({ folder });
  await closed.write(key(1), bytes(1));
  chmodSync(folder, 0o500);
  await expect(closed.write(key(2), bytes(2))).resolves.toBeUndefined();
  expect(new Uint8Array((await closed.read(key(1)))!)).toEqual(bytes(1));
  chmodSync(folder, 0o700);
});

test("two processes that write at once leave one whole file", async () => {
  const folder = join(root, "race");
  const script = `
    import { programStore } from "${new URL("../../src/audit/program-store.ts", import.meta.url).href}";
    const store = programStore({ folder: ${JSON.stringify(folder)}, about: "" });
    const bytes = new Uint8Array(1 << 20).fill(Number(process.argv[1]));
    for (let i = 0; i < 30; i++) await store.write("${key(1)}", bytes);
  `;
  const children = [1, 2].map((n) =>
    spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script, String(n)], {
      stdio: "inherit",
    }),
  );
  const seen = new Set<string>();
  const ends = Promise.all(children.map((child) => once(child, "exit")));
  let done = false;
  ends.then(() => {
    done = true;
  });
  while (!done) {
    const found = await programStore({ folder, about: "" }).read(key(1));
    if (found) seen.add(`${found.length} ${new Set(found).size}`);
    await new Promise((next) => setTimeout(next, 5));
  }
  expect((await ends).map(([code]) => code)).toEqual([0, 0]);
  expect([...seen]).toEqual([`${1 << 20} 1`]); // whole, of one writer
  expect(readdirSync(folder)).toEqual([key(1)]);
  expect(readFileSync(join(folder, key(1))).length).toBe(1 << 20);
});

test("the store of this program tells its versions, and lies where FEDLEAK_CACHE says", async () => {
  const store = programStore();
  expect(store.about).toContain("onnxruntime");
  expect(programStore().about).toBe(store.about);
  await store.write(key(1), bytes(1));
  expect(readdirSync(join(process.env.FEDLEAK_CACHE!, "programs"))).toContain(key(1));
});

test("variables that are set to nothing do not mean the working folder", async () => {
  const home = join(root, "home");
  for (const [name, value] of Object.entries({ FEDLEAK_CACHE: "", XDG_CACHE_HOME: "", HOME: home }))
    vi.stubEnv(name, value);
  try {
    await programStore({ about: "" }).write(key(1), bytes(1));
  } finally {
    vi.unstubAllEnvs();
  }
  expect(readdirSync(join(home, ".cache", "fedleak", "programs"))).toEqual([key(1)]);
});

test("only files of its own go, and one that cannot be removed keeps none of the others", async () => {
  const folder = join(root, "mixed");
  const store = programStore({ folder, limit: 250 });
  const leftover = `${key(9)}.00000000-0000-0000-0000-000000000000.tmp`;
  mkdirSync(join(folder, key(8)), { recursive: true, mode: 0o700 }); // a folder of such a name
  utimesSync(join(folder, key(8)), 1, 1);
  for (const [i, name] of ["notes.txt", leftover, key(1)].entries()) {
    writeFileSync(join(folder, name), bytes(i, 200));
    utimesSync(join(folder, name), i + 2, i + 2);
  }
  await store.write(key(2), bytes(2, 200));
  expect(readdirSync(folder).sort()).toEqual([key(2), key(8), "notes.txt"]);
});

test.skipIf(process.platform === "win32")("a folder that others may write to is not used", async () => {
  const folder = join(root, "open");
  const store = programStore({ folder });
  await store.write(key(1), bytes(1));
  for (const mode of [0o770, 0o702]) {
    chmodSync(folder, mode);
    expect(await store.read(key(1))).toBeUndefined();
    await store.write(key(2), bytes(2));
    expect(readdirSync(folder)).toEqual([key(1)]);
  }
  chmodSync(folder, 0o755); // others may read
  expect(await store.read(key(1))).toBeDefined();
});

test("the code that is told of is the loaded one, whatever becomes of its files", async () => {
  const copy = join(root, "copy");
  const here = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
  cpSync(here("src"), join(copy, "src"), { recursive: true });
  cpSync(here("package.json"), join(copy, "package.json"));
  symlinkSync(here("node_modules"), join(copy, "node_modules"));
  const script = `
    import { appendFileSync } from "node:fs";
    import { programStore } from "${pathToFileURL(join(copy, "src/audit/program-store.ts")).href}";
    const before = programStore().about;
    appendFileSync(${JSON.stringify(join(copy, "src/runtime/compile.ts"))}, "// newer");
    process.exitCode = before !== "" && programStore().about === before ? 0 : 1;
  `;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
    stdio: "inherit",
  });
  expect(await once(child, "exit")).toEqual([0, null]);
});
