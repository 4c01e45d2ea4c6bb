import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { make, write } from "../audit/captured-fixture.ts";
import { cifarFile } from "../audit/train-fixture.ts";
import { fedleak, freshFolder } from "./fedleak.ts";

const ONE_THREAD = ["--threads", "1"];

describe("fedleak check", { timeout: 120_000 }, () => {
  it("says in words that one image leaks exactly, and why", async () => {
    const { status, stdout, stderr } = await fedleak(["check", write(await make({ batchSize: 1 })), ...ONE_THREAD]);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\s*EXACT: /);
    expect(stdout).toMatch(/cosine\s+of\s+a\s+tensor\s+at\s+least\s+1\.0000/);
    expect(stdout).toMatch(/✓ .*symmetries of the model hold/);
    expect(stdout).toMatch(/net\.0\.weight +12×36/);
    expect(
      Math.max(...stdout.split("\n").map((line) => (/[✓·✗!]/.test(line[0] ?? "") ? line.length : 0))),
    ).toBeLessThan(97);
  });

  it("reads what fedleak train captured, and tells weights of another round", async () => {
    const out = join(freshFolder(), "run");
    const federation = ["--clients", "2", "--share", "1", "--local-steps", "1", "--batch", "4"];
    const flags = [...federation, "--model", "mlp3", "--hidden", "32", ...ONE_THREAD];
    const capture = ["--rounds", "4", "--capture", "client=1,round=0,3", "--out", out];
    const trained = await fedleak(["train", "--cifar10", cifarFile(24), ...flags, ...capture]);
    expect(trained.stderr).not.toMatch(/error/);
    const [first, last] = [0, 3].map((round) => join(out, "captured", `client-1-round-${round}`));
    const honest = await fedleak(["check", last!, "--json", ...ONE_THREAD]);
    expect(JSON.parse(honest.stdout)).toMatchObject({
      consistent: true,
      sent: "weights",
      images: 4,
      notes: expect.anything(),
    });
    expect(honest.status).toBe(0);

    copyFileSync(join(first!, "before.safetensors"), join(last!, "before.safetensors"));
    const swapped = await fedleak(["check", last!, "--json", ...ONE_THREAD]);
    expect(swapped.status).toBe(1);
    const { verdict, findings } = JSON.parse(swapped.stdout);
    expect(verdict).toBe("hopeless");
    expect(findings).toContainEqual(
      expect.objectContaining({ level: "broken", text: expect.stringMatching(/another round/) }),
    );
  });

  it("refuses what is no update in one line", async () => {
    const { status, stderr } = await fedleak(["check", freshFolder()]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: update .*: it must be a folder with a manifest\.json; got none in it\./);
  });
});
