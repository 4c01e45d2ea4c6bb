import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readUnpacked } from "../../src/data/index.ts";
import { FedleakError } from "../../src/util/index.ts";

test("a gzip file cut short or with a flipped bit is refused, unless what it holds is untouched", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "fedleak-gzip-")), "file");
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), fc.boolean(), async (data, at, cut) => {
      const packed = Uint8Array.from(gzipSync(data));
      const damaged = cut ? packed.subarray(0, at % packed.length) : packed.slice();
      if (!cut) damaged[Math.floor(at / 8) % packed.length]! ^= 1 << (at % 8);
      writeFileSync(path, damaged);
      try {
        const read = Buffer.from(await readUnpacked(path));
        const asItIs = (damaged[0] !== 0x1f || damaged[1] !== 0x8b) && read.equals(damaged);
        expect(asItIs || read.equals(data)).toBe(true);
      } catch (error) {
        if (!(error instanceof FedleakError)) throw error;
        refused++;
      }
    }),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(50);
});
