import { createCipheriv } from "node:crypto";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/secure/index.ts";
import { withMasks } from "../../src/secure/mask.ts";
import { key } from "../../src/util/index.ts";

const LENGTH = 2 ** 18 + 5; // more than one chunk, and no whole number of blocks

test("a mask is the key stream of AES-256 in counter mode from 0, as another implementation has it, past a chunk too", async () => {
  const seed = seededRandom(key(1))(32);
  const cipher = createCipheriv("aes-256-ctr", seed, new Uint8Array(16));
  const stream = cipher.update(new Uint8Array(4 * LENGTH));
  const masked = await withMasks(new Uint32Array(LENGTH), [{ seed, sign: 1 }]);
  expect(stream.equals(new Uint8Array(masked.buffer))).toBe(true);
});

test("adding and taking away a mask gives the values again, which are left as they are", async () => {
  const random = seededRandom(key(2));
  const [a, b] = [random(32), random(32)];
  const values = Uint32Array.of(0, 1, 2 ** 32 - 1);
  const masked = await withMasks(values, [{ seed: a, sign: 1 }, { seed: b, sign: -1 }]); // biome-ignore format: one line
  expect(masked).not.toEqual(values);
  expect(await withMasks(masked, [{ seed: a, sign: -1 }, { seed: b, sign: 1 }])).toEqual(values); // biome-ignore format: one line
  expect([...values]).toEqual([0, 1, 2 ** 32 - 1]);
});
