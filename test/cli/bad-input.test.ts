import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readSafetensors, type Tensors, writeSafetensors } from "../../src/tensor/index.ts";
import { fedleak, fedleakWithFullDisk, freshFolder, imageFolder } from "./fedleak.ts";

const QUICK = ["--model", "lenet-sigmoid", "--batch", "1", "--attack", "inverting-gradients", "--iterations", "3"];

/** Runs an attack that must be refused; the words on stderr. Nothing may be left where the run would have been. */
async function refusal(args: readonly string[]): Promise<string> {
  const cwd = freshFolder();
  const { status, stdout, stderr } = await fedleak(["attack", ...QUICK, ...args], cwd);
  expect(stdout).toBe("");
  expect(stderr).not.toMatch(/\n\s+at /); // no stack
  expect(stderr).toMatch(/^error: /m);
  expect(readdirSync(cwd)).toEqual([]);
  expect(status).toBe(2);
  return stderr;
}

describe.concurrent("flags", () => {
  test.each([
    ["an unknown flag", ["--itertions", "3"], /unknown option '--itertions'[\s\S]*Did you mean --iterations\?/],
    [
      "an unknown model",
      ["--model", "resnet1"],
      /model: name must be one of .*got "resnet1". Did you mean "resnet10"\?/,
    ],
    [
      "an unknown attack",
      ["--attack", "fedlek"],
      /attack: name must be one of .*got "fedlek". Did you mean "fedleak"\?/,
    ],
    ["a model's option it has not", ["--width", "8"], /model lenet-sigmoid: option must be one of .*got "width"/],
    ["an unknown grant", ["--grant", "label"], /got "label". Did you mean "labels"\?/],
    ["an unknown device", ["--device", "cuda"], /device must be one of cpu, webgpu; got "cuda"/],
    ["a setting out of range", ["--gamma", "2"], /setting gamma: value must be a number in 0 … 1; got "2"/],
    ["no number", ["--batch", "two"], /'--batch <n>' argument 'two' is invalid. It must be a whole number from 1 on/],
    ["too many threads", ["--threads", "100000"], /It must be a whole number from 0 to 1024/],
    [
      "two data sets",
      ["--images", "a", "--cifar10", "b"],
      /'--images <dir>' cannot be used with option '--cifar10 <file>'/,
    ],
  ])("%s", async (_, args, words) => {
    expect(await refusal(args)).toMatch(words);
  });
});

describe.concurrent("data", () => {
  test("a missing folder", async () => {
    expect(await refusal(["--images", "/nowhere/at/all"])).toMatch(/image folder .*got no such folder. Check the path/);
  });

  test("an empty folder", async () => {
    expect(await refusal(["--images", freshFolder()])).toMatch(/must hold one folder for each class; got none/);
  });

  test("a class with no image", async () => {
    const dir = await imageFolder({ cats: { "a.png": 10 }, dogs: {} });
    expect(await refusal(["--images", dir])).toMatch(/class "dogs" must have at least one image .*got an empty folder/);
  });

  test("a corrupt image, drawn or not", async () => {
    const broken = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1, 2, 3);
    const files = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`${i}.png`, i * 20]));
    const dir = await imageFolder({ cats: files, dogs: { "a.png": 10, "b.png": broken } });
    expect(await refusal(["--images", dir])).toMatch(/image .*b\.png: it must be a whole PNG, JPEG or WebP image/);
  });

  test("a single class", async () => {
    const dir = await imageFolder({ cats: { "a.png": 10, "b.png": 90 } });
    const words = await refusal(["--images", dir]);
    expect(words).toContain(`data ${dir}: a model tells at least two classes apart; got one, "cats". Pass --classes 2`);
  });

  test("a batch larger than the data", async () => {
    const dir = await imageFolder({ cats: { "a.png": 10 }, dogs: { "a.png": 10 } });
    expect(await refusal(["--images", dir, "--batch", "3"])).toMatch(
      /batch must be a whole number from 1 to 2, .*got 3/,
    );
  });

  test("fewer classes than the data has", async () => {
    expect(await refusal(["--classes", "5"])).toMatch(/classes must be at least .*\(8\); got 5. Leave --classes away/);
  });

  test("a damaged CIFAR file", async () => {
    const path = join(freshFolder(), "batch.bin");
    writeFileSync(path, new Uint8Array(4000));
    expect(await refusal(["--cifar10", path])).toMatch(/multiple of 3073 bytes, one record; got 4000 bytes/);
  });

  test("MNIST images without their labels", async () => {
    const path = join(freshFolder(), "train-images-idx3-ubyte");
    writeFileSync(path, new Uint8Array(16));
    expect(await refusal(["--mnist", path])).toMatch(/labels file .* beside it; got no labels file/);
  });

  test("a size for data that is not scaled", async () => {
    expect(await refusal(["--cifar10", "x", "--size", "16"])).toMatch(
      /only images of .* can be scaled; got 16 for cifar10/,
    );
  });

  test("weights that are not this model's", async () => {
    const path = join(freshFolder(), "weights.safetensors");
    const one = { dtype: "float32", shape: [1], data: new Float32Array(1) } as const;
    writeFileSync(path, writeSafetensors({ "fc.0.bias": one, "fc.0.wieght": one }));
    const words = await refusal(["--weights", path]);
    expect(words).toMatch(/exactly the 8 tensors of model lenet-sigmoid; got missing body\.0\.weight, .* and 3 more/);
    expect(words).toMatch(/not of this model fc\.0\.wieght; of another shape: fc\.0\.bias \[1\] instead of \[8\]/);
  });
});

describe.concurrent("where the run is to be written", () => {
  test("a folder that holds something is left as it is", async () => {
    const out = freshFolder();
    writeFileSync(join(out, "mine.txt"), "mine");
    expect(await refusal(["--out", out])).toMatch(/must not exist yet or must be empty; got 1 entry in it/);
    expect(readdirSync(out)).toEqual(["mine.txt"]);
  });

  test("a path through a file", async () => {
    const file = join(freshFolder(), "file");
    writeFileSync(file, "");
    expect(await refusal(["--out", join(file, "run")])).toMatch(
      /must be able to write there; got a file where a folder/,
    );
  });

  test("a place where nobody may write", async () => {
    expect(await refusal(["--out", "/proc/fedleak/run"])).toMatch(/write \/proc\/fedleak\/run: .* Check the p/);
    expect(existsSync("/proc/fedleak")).toBe(false);
  });
});

test("no space for the first checkpoint: an error, and nothing left behind", async () => {
  const cwd = freshFolder();
  const { status, stderr } = await fedleakWithFullDisk(12, ["attack", ...QUICK], cwd); // KiB: a record fits, a state does not
  expect(stderr).toMatch(/state\.safetensors: the run must be able to write there; got a limit on the size of files/);
  expect(status).toBe(2);
  expect(readdirSync(cwd)).toEqual([]);
});

describe("a checkpoint", () => {
  const runs = freshFolder();
  const run = join(runs, "run");
  let state: { readonly tensors: Tensors; readonly metadata: Readonly<Record<string, string>> };
  let record = "";
  beforeAll(async () => {
    expect((await fedleak(["attack", ...QUICK, "--out", run])).status).toBe(0);
    record = readFileSync(join(run, "record.json"), "utf8");
    state = readSafetensors(readFileSync(join(run, "state.safetensors")), "state");
  });

  /** A copy of the run as if it had been killed, with other files in it. */
  function killed(name: string, files: Readonly<Record<string, Uint8Array | string>>): string {
    const folder = join(runs, name);
    mkdirSync(folder);
    const { results: _, ...rest } = JSON.parse(record);
    const all = { "record.json": JSON.stringify({ ...rest, status: "running" }), ...files };
    for (const [file, content] of Object.entries(all)) writeFileSync(join(folder, file), content);
    return folder;
  }

  const stateWith = (metadata: object) => writeSafetensors(state.tensors, { ...state.metadata, ...metadata });

  test.each([
    ["truncated", () => ({ "state.safetensors": stateWith({}).subarray(0, -10) }), /state\.safetensors/],
    ["of another version", () => ({ "state.safetensors": stateWith({ version: "2" }) }), /version must be 1; got "2"/],
    ["of another spec", () => ({ "state.safetensors": stateWith({ spec: "x" }) }), /belong to the spec .*another spec/],
    [
      "of other images",
      () => ({ "state.safetensors": stateWith({ inputs: "x" }) }),
      /batch and the weights must be those/,
    ],
    ["altered", () => ({ "state.safetensors": stateWith({ iteration: "2" }) }), /content must match its digest/],
    ["missing", () => ({}), /hold a readable state\.safetensors; got no readable state\.safetensors/],
    [
      "with a record of another version",
      () => ({ "state.safetensors": stateWith({}), "record.json": record.replace(/"version": \d+/, '"version": 9') }),
      /"version" must be \d+; got 9/,
    ],
    ["with half a record", () => ({ "record.json": record.slice(0, 200) }), /a record must be JSON/],
  ])("%s", async (name, files, words) => {
    const folder = killed(name, files());
    const { status, stderr } = await fedleak(["resume", folder]);
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(status).toBe(2);
    expect(existsSync(join(folder, "report.html"))).toBe(false);
  });

  test("damaged with a good one before it: that one is taken, and the ledger says so", async () => {
    const files = { "state.safetensors": stateWith({}).subarray(0, -10), "state.previous.safetensors": stateWith({}) };
    const folder = killed("previous", files);
    expect((await fedleak(["resume", folder])).status).toBe(0);
    const { ledger } = JSON.parse(readFileSync(join(folder, "record.json"), "utf8"));
    const resumed = ledger.find(({ assumption }: { assumption: string }) => assumption === "resumed");
    expect(resumed.note).toMatch(/From the checkpoint before \(iteration 3\): the last one cannot be read/);
  });

  test("never written, by a run that was killed at once: it begins anew", async () => {
    const { results: _, ...rest } = JSON.parse(record);
    const folder = killed("unbegun", { "record.json": JSON.stringify({ ...rest, status: "running", curve: [] }) });
    expect((await fedleak(["resume", folder])).status).toBe(0);
    const { results } = JSON.parse(readFileSync(join(folder, "record.json"), "utf8"));
    expect(results.psnrDb).toEqual(JSON.parse(record).results.psnrDb);
  });

  test("of the control, damaged: the attack's own result stands, the floor is not measured", async () => {
    const folder = join(runs, "control");
    expect((await fedleak(["attack", ...QUICK, "--mismatched-floor", "--out", folder])).status).toBe(0);
    const { results: _, ledger, ...rest } = JSON.parse(readFileSync(join(folder, "record.json"), "utf8"));
    const before = ledger.filter(({ assumption }: { assumption: string }) => assumption !== "mismatched-gradient");
    writeFileSync(join(folder, "record.json"), JSON.stringify({ ...rest, status: "running", ledger: before }));
    writeFileSync(join(folder, "mismatched.safetensors"), "damaged");
    const { status, stdout } = await fedleak(["resume", folder, "--json"]);
    expect(status).toBe(0);
    const told = JSON.parse(stdout);
    expect(told.assumptions["mismatched-gradient"]).toMatch(/^not measured: checkpoint .*a damaged one/);
    expect(told.floors.mismatchedGradient).toBeUndefined();
    expect(told.psnrDb.oneToOne).toBeGreaterThan(0);
  });

  test("and no run at all", async () => {
    const { status, stderr } = await fedleak(["resume", join(runs, "nothing")]);
    expect(stderr).toMatch(/must be the folder of a run .*got no such folder/);
    expect(status).toBe(2);
  });
});
