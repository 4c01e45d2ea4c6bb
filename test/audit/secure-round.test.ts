import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { completeSecureRound, runSecureRound, type SecureRoundRequest } from "../../src/audit/index.ts";
import { float32, int64, type Tensors, writeSafetensors } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { freshFolder } from "../cli/fedleak.ts";

const TRAINING = { model: { name: "lenet-sigmoid" }, data: { size: 8 }, batchSize: 2, threads: 1 };
const SMALL = { clients: 3, training: { ...TRAINING, federation: { localSteps: 2 } } };
const run = (request: SecureRoundRequest, watcher = {}) => runSecureRound(completeSecureRound(request), watcher);
const update = (seed: number, size = 3000): Tensors => ({
  "a.weight": float32([size / 10, 10], normal(key(seed), size)),
  count: int64([], [7]),
});
const write = (path: string, tensors: Tensors) => {
  writeFileSync(path, writeSafetensors(tensors));
  return path;
};

describe("a secure round", () => {
  test("of masks trains, drops, and opens exactly the sum of the others", async () => {
    const [stages, steps]: [string[], string[]] = [[], []];
    const onProgress = (done: number, of: number) => steps.push(`${done}/${of}`);
    const result = await run({ ...SMALL, drop: 1 }, { onStage: (text: string) => stages.push(text), onProgress });
    expect(result).toMatchObject({
      scheme: "masks",
      clients: 3,
      survivors: 2,
      threshold: 2,
      exact: true,
      encrypted: null,
    });
    expect(result.training).toMatchObject({ localSteps: 2, batchSize: 2 });
    expect(result.error.largest).toBeLessThanOrEqual(result.error.bound!);
    expect(result.error.bound!).toBeLessThan(result.range * 1e-9); // U = 3: 2^-30.4 of the range
    expect(result.client.sentBytes).toBeGreaterThan(result.plain.bytes);
    expect(result.client.sentBytes).toBeLessThan(result.plain.bytes + 600); // keys and shares
    for (const seconds of [result.training!.seconds, result.client.seconds, result.server.seconds]) {
      expect(seconds).toBeGreaterThan(0);
    }
    expect(stages).toEqual(["training the clients", "masking, adding and unmasking"]);
    expect(steps.slice(0, 6)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `${n}/6`)); // 3 clients, 2 steps
    expect(steps.at(-1)).toBe("11/11"); // 3 + 3 + 2 + 2 turns and the server's
  });

  test("of ckks encrypts the share that was asked for, of updates in files", async () => {
    const folder = freshFolder();
    const updates = [1, 2, 3].map((seed) => write(join(folder, `${seed}.safetensors`), update(seed)));
    const result = await run({ scheme: "ckks", encryptShare: 0.1, updates });
    expect(result).toMatchObject({
      clients: 3,
      survivors: 3,
      threshold: null,
      numbers: 3000,
      training: null,
      exact: null,
    });
    expect(result.range).toBe(8); // the largest of these 9000 draws of N(0,1) is above 4
    expect(result.encrypted).toMatchObject({ share: 0.1, numbers: 300 });
    expect(result.encrypted!.ownTopShare).toBeGreaterThan(0.3); // of each client's own, beside chance, 0.1
    expect(result.encrypted!.ownTopShare).toBeLessThan(0.9);
    expect(result.error.largest).toBeLessThan(1e-11 * result.range);
    const whole = await run({ scheme: "ckks", updates });
    expect(whole.encrypted).toMatchObject({ numbers: 3000, ownTopShare: 1 });
    expect(whole.client.sentBytes).toBeGreaterThan(1.5 * result.client.sentBytes);
  });

  test("reads what a captured update's folder holds", async () => {
    const folder = freshFolder();
    const captured = [1, 2].map((seed) => {
      const own = join(folder, `client-${seed}`);
      mkdirSync(own);
      const manifest = { format: "fedleak-update", version: 1, sent: "gradient", model: { name: "mlp3" } };
      writeFileSync(join(own, "manifest.json"), JSON.stringify(manifest));
      write(join(own, "update.safetensors"), update(seed));
      return own;
    });
    expect(await run({ updates: captured })).toMatchObject({ numbers: 3000, exact: true, survivors: 2 });
    const other = write(join(folder, "other.safetensors"), update(3, 2000));
    await expect(run({ updates: [...captured, other] })).rejects.toThrow(
      /client 3: tensor "a.weight".*300×10.*got 200×10/,
    );
    await expect(run({ updates: [captured[0]!, join(folder, "none")] })).rejects.toThrow(/none/);
  });

  test("refuses entries outside a range that was agreed on, and numbers that are none", async () => {
    const folder = freshFolder();
    const updates = [1, 2].map((seed) => write(join(folder, `${seed}.safetensors`), update(seed)));
    for (const scheme of ["masks", "ckks"] as const) {
      await expect(run({ scheme, updates, range: 0.5 })).rejects.toThrow(/number from −0.5 to 0.5/);
    }
    const broken = write(join(folder, "nan.safetensors"), { a: float32([2], [1, Number.NaN]) });
    const sound = write(join(folder, "one.safetensors"), { a: float32([2], [1, 2]) });
    for (const scheme of ["masks", "ckks"] as const) {
      for (const range of [null, 16]) {
        await expect(run({ scheme, range, updates: [sound, broken] })).rejects.toThrow(
          /client 2: every number must be finite; got NaN/,
        );
      }
    }
    const [wide, narrow] = [
      [1.9, 2.5],
      [1.9, 0],
    ].map((values, i) => write(join(folder, `wide-${i}.safetensors`), { a: float32([2], values) }));
    await expect(run({ scheme: "ckks", encryptShare: 0.5, range: 2, updates: [wide!, narrow!] })).rejects.toThrow(
      /client 1: every entry must be a number from −2 to 2; got 2.5/, // though only the first entry is encrypted
    );
    const zeros = write(join(folder, "zero.safetensors"), { a: float32([2], [0, 0]) });
    const nothing = await run({
      updates: [zeros, write(join(folder, "also.safetensors"), { a: float32([2], [0, 0]) })],
    });
    expect(nothing).toMatchObject({ range: 1, exact: true, error: { largest: 0, relative: null } });
  });

  test("has the paper's training and a threshold of two thirds unless asked otherwise", () => {
    const usual = completeSecureRound({});
    expect(usual).toMatchObject({ scheme: "masks", clients: 4, drop: 0, threshold: 3, encryptShare: 1 });
    expect(usual.training).toMatchObject({ batchSize: 16, federation: { localSteps: 12, clients: 4 } });
  });

  test.each([
    [{ scheme: "mask" as "masks" }, /scheme: it must be masks or ckks; got "mask"/],
    [{ clients: 1 }, /clients: it must be a whole number from 2 to 65535; got 1/],
    [{ clients: 4, drop: 2 }, /drop: of 4 clients at most 1 may drop out, so that 3 are left; got 2/],
    [{ scheme: "ckks" as const, clients: 4, drop: 4 }, /at most 3 may drop out/],
    [{ clients: 4, threshold: 2 }, /threshold of 4 clients must be a whole number from 3 to 4; got 2/],
    [{ scheme: "ckks" as const, threshold: 3 }, /threshold: only masks need/],
    [{ encryptShare: 0.5 }, /encryptShare: masks hide every entry/],
    [{ scheme: "ckks" as const, encryptShare: 0 }, /encryptShare: it must be a number over 0, at most 1; got 0/],
    [{ updates: ["a", "b"], clients: 3 }, /as many as updates, 2; got 3/],
    [{ updates: ["a"] }, /at least two clients/],
    [{ range: -1 }, /range: it must be a number > 0 or null; got -1/],
    [{ drops: 1 } as object, /entry must be one of .*Did you mean "drop"/],
    [{ training: { batchSize: 0 } }, /batchSize/],
  ])("refuses %j", (request, words) => {
    expect(() => completeSecureRound(request)).toThrow(words);
  });
});
