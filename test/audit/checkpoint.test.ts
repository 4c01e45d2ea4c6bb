import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../../src/audit/checkpoint.ts";
import { float32, readSafetensors, writeSafetensors } from "../../src/tensor/index.ts";
import { FedleakError, key, normal } from "../../src/util/index.ts";

const OWNER = { spec: "a", inputs: "b" };
const CHECKPOINT: Checkpoint = {
  state: {
    iteration: 7,
    evaluations: 14,
    tensors: { x: float32([2, 3], normal(key(1), 6)), "adam.m.x": float32([2, 3], [0, -0, 1e-45, 3, 4, 5]) },
  },
  seconds: 1.5,
};

test("a checkpoint read back is the same, bit for bit", async () => {
  const read = await decodeCheckpoint(await encodeCheckpoint(CHECKPOINT, OWNER), "f", OWNER);
  expect(read).toEqual(CHECKPOINT);
  expect(Object.is(read.state.tensors["adam.m.x"]!.data[1], -0)).toBe(true);
});

describe("a checkpoint is refused", () => {
  const refusal = async (change: Record<string, string>, owner = OWNER) => {
    const { tensors, metadata } = readSafetensors(await encodeCheckpoint(CHECKPOINT, OWNER), "f");
    return decodeCheckpoint(writeSafetensors(tensors, { ...metadata, ...change }), "f", owner);
  };
  test.each([
    ["another format", { format: "pt" }, /format must be fedleak-checkpoint; got "pt"/],
    ["another version", { version: "0" }, /version must be 1; got "0"/],
    ["another iteration", { iteration: "8" }, /must match its digest/],
    ["other seconds", { seconds: "0" }, /must match its digest/],
  ])("%s", async (_, change, words) => {
    await expect(refusal(change)).rejects.toThrow(words);
  });

  test("of another spec or other inputs", async () => {
    await expect(refusal({}, { ...OWNER, spec: "z" })).rejects.toThrow(/another spec/);
    await expect(refusal({}, { ...OWNER, inputs: "z" })).rejects.toThrow(/batch and the weights/);
  });
});

test("cut short, with flipped bits, or random: refused, or read as what was written", async () => {
  const bytes = await encodeCheckpoint(CHECKPOINT, OWNER);
  let refused = 0;
  const check = async (damaged: Uint8Array) => {
    try {
      const read = await decodeCheckpoint(damaged, "f", OWNER);
      expect(read).toEqual(CHECKPOINT); // a flip in the filling of the header changes nothing
    } catch (error) {
      if (!(error instanceof FedleakError)) throw error;
      refused++;
    }
  };
  await fc.assert(
    fc.asyncProperty(
      fc.nat(bytes.length - 1),
      fc.nat(bytes.length * 8 - 1),
      fc.uint8Array(),
      async (cut, bit, random) => {
        await check(bytes.subarray(0, cut));
        const flipped = bytes.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        await check(flipped);
        await check(random);
      },
    ),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(850); // of 900
});
