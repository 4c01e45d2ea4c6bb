/**
 * The WebGPU device on a machine without a GPU: SwiftShader, a software Vulkan driver that comes with Chromium, stands
 * in for one. Every op case and its first derivative must agree with the reference there too.
 */
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { grad, input } from "../src/graph/index.ts";
import { compile, evaluate } from "../src/runtime/index.ts";
import { OP_CASES } from "./op-cases.ts";
import { feedsOf, nmse, probe } from "./op-check.ts";
import { TOLERANCE } from "./tolerances.ts";

const DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json"; // where Debian's chromium package puts it

if (existsSync(DRIVER)) {
  process.env.VK_DRIVER_FILES = DRIVER;
  process.env.XDG_RUNTIME_DIR ??= mkdtempSync(join(tmpdir(), "fedleak-"));
}

describe.skipIf(!existsSync(DRIVER))("webgpu (skipped without Debian's chromium, which brings the driver)", () => {
  test.each(OP_CASES)("$name", async (opCase) => {
    const inputs = opCase.inputs.map((shape, i) => input(`x${i}`, shape));
    const feeds = feedsOf(opCase);
    const y = opCase.build(...inputs);
    const outputs = { y, g: grad(probe(y, "p"), inputs)[0]! };
    const reference = evaluate(outputs, feeds);
    const program = await compile(outputs, { device: "webgpu" });
    const got = await program.run(feeds);
    await program.release();
    for (const name of ["y", "g"]) {
      expect(nmse(got[name]!.data, reference[name]!.data), name).toBeLessThan(TOLERANCE.webgpuNmse);
    }
  });
});
