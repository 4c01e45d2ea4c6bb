import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fetchFromHub } from "../../src/audit/hub.ts";
import { readLpips } from "../../src/audit/lpips-file.ts";
import { squeezenet } from "../../src/metrics/lpips/backbones.ts";
import { type Tensors, writeSafetensors } from "../../src/tensor/index.ts";
import { freshFolder } from "../cli/fedleak.ts";
import { madeUpWeights } from "../metrics/lpips/weights-of.ts";

const folder = freshFolder();
const written = (name: string, tensors: Tensors) => {
  const path = join(folder, name);
  writeFileSync(path, writeSafetensors(tensors));
  return path;
};
const tensors = madeUpWeights(squeezenet, 1);
const part = (prefix: string) =>
  Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith(prefix))) as Tensors;
const whole = written("whole.safetensors", tensors);
const backbone = written("backbone.safetensors", part("features"));
const linear = written("linear.safetensors", part("lin"));

describe("lpips weights", () => {
  test("are read from one file, or from two that belong together, and say their hash", async () => {
    const [one, two] = [await readLpips([whole]), await readLpips([backbone, linear])];
    for (const [name, { data }] of Object.entries(tensors)) {
      expect(Buffer.compare(bytes(one.weights.tensors[name]!.data), bytes(data)), name).toBe(0);
      expect(Buffer.compare(bytes(two.weights.tensors[name]!.data), bytes(data)), name).toBe(0);
    }
    const hash = createHash("sha256").update(readFileSync(whole)).digest("hex");
    expect(one.about).toBe(`squeezenet, from ${whole} (sha256 ${hash})`);
    expect(two.about).toMatch(/^squeezenet, from .*backbone\.safetensors \(sha256 [0-9a-f]{64}\) and .*linear\.safet/);
  });

  test("must not be given twice, nor in part, nor from nowhere", async () => {
    await expect(readLpips([whole, linear])).rejects.toThrow('may hold a tensor of the same name; got "lin0');
    await expect(readLpips([backbone])).rejects.toThrow(/missing lin0\.model\.1\.weight.* pass it too/);
    await expect(readLpips([join(folder, "none")])).rejects.toThrow("it must be a file that can be read");
  });
});

describe("a place on the hub", () => {
  test("is fetched only there, by owner, name, revision and file", async () => {
    const asked: string[] = [];
    const fetched = await readLpips(["hub:somebody/lpips@v1/whole.safetensors"], async (place) => {
      asked.push(place);
      return readFileSync(whole);
    });
    expect(asked).toEqual(["hub:somebody/lpips@v1/whole.safetensors"]);
    expect(fetched.about).toContain("from hub:somebody/lpips@v1/whole.safetensors (sha256 ");
    await expect(readLpips([whole], () => expect.fail("a local file was fetched"))).resolves.toBeDefined();
  });

  test("asks the hub for exactly that file", async () => {
    const urls: string[] = [];
    const content = new Uint8Array([1, 2, 3, 4]);
    const request: typeof fetch = async (input) => {
      urls.push(String(input));
      const headers = { "content-length": "4", etag: '"x"', "content-range": "bytes 0-0/4" };
      return new Response(content, { status: 200, headers });
    };
    expect(Array.from(await fetchFromHub("hub:somebody/lpips@v1/sub/w.safetensors", request))).toEqual([1, 2, 3, 4]);
    expect(urls.every((url) => url.includes("/somebody/lpips/resolve/v1/sub/w.safetensors"))).toBe(true);
  });

  test("that is not there, or cannot be reached, says what to do", async () => {
    const missing: typeof fetch = async () =>
      new Response("", { status: 404, headers: { "x-error-code": "EntryNotFound" } });
    await expect(fetchFromHub("hub:somebody/lpips/none", missing)).rejects.toThrow(
      "the repository must hold the file; got no such file",
    );
    const down: typeof fetch = async () => Promise.reject(new Error("no network"));
    await expect(fetchFromHub("hub:somebody/lpips/w", down)).rejects.toThrow(
      /must be reached .*; got "no network"\. .* or download the file yourself and pass its path/,
    );
    await expect(fetchFromHub("hub:lpips/w", down)).rejects.toThrow("must be hub:<owner>/<name>/<file>");
  });
});

function bytes(data: ArrayBufferView): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
