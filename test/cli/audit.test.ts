import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { int64, writeSafetensors } from "../../src/tensor/index.ts";
import { make, write } from "../audit/captured-fixture.ts";
import { classifierFile } from "../onnx/classifier.ts";
import { fedleak, freshFolder, start } from "./fedleak.ts";

const THREADS = ["--threads", "1"];

describe("fedleak audit", { timeout: 120_000 }, () => {
  it("says in words that one image was given away, scored, and what to do", async () => {
    const made = await make({ batchSize: 1 });
    const truth = join(freshFolder(), "truth.safetensors");
    writeFileSync(truth, writeSafetensors({ images: made.images, labels: int64([1], made.labels) }));
    const out = join(freshFolder(), "out");
    const { status, stdout, stderr } = await fedleak([
      "audit",
      write(made),
      "--truth",
      truth,
      "--out",
      out,
      ...THREADS,
    ]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\s*This update gives its image away exactly\./);
    expect(stdout).toMatch(/closed-form +\S+ +1?\d\d\.\d\d dB/);
    expect(stdout).toMatch(/secure aggregation/);
    expect(stdout).toMatch(/\(guessed\)/);
    expect(stderr).toMatch(/check: exact/);
    expect(Math.max(...stdout.split("\n").map((line) => (line.includes(out) ? 0 : line.length)))).toBeLessThan(97);
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("gives its image away exactly");
  });

  it("refuses weights of another round with exit status 1 and advice", async () => {
    const made = await make({ onnx: classifierFile() });
    const moved = Object.fromEntries(
      Object.entries(made.before).map(([name, t]) => [
        name,
        { ...t, data: t.data.map((v, i) => v * (1 + 0.3 * Math.sin(i))) },
      ]),
    );
    const update = write({ ...made, before: moved });
    const checked = await fedleak(["check", update, ...THREADS]);
    expect(checked.status).toBe(1);
    expect(checked.stdout.replaceAll(/\s+/g, " ")).toMatch(/weights are of another round/);
    const { status, stdout } = await fedleak(["audit", update, "--json", ...THREADS]);
    expect(status).toBe(1);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ status: "refused", check: { consistent: false } });
    expect(told.advice.join(" ")).toMatch(/weights that this very update began from/);
  });

  it("stopped by Ctrl-C goes on with resume, and ends with a verdict", async () => {
    const update = write(await make({ name: "lenet-sigmoid", options: { inputShape: [3, 8, 8], classes: 5 } }));
    const out = join(freshFolder(), "out");
    const search = [
      "--attack",
      "inverting-gradients",
      "--evaluations",
      "200",
      "--seeds",
      "1",
      "--checkpoint-every",
      "10",
    ];
    const running = start(["audit", update, ...search, "--out", out, ...THREADS]);
    await running.until(/seed-0 \(1\/2\) {2}20\/200/);
    running.child.kill("SIGINT");
    const stopped = await running.ended;
    expect(stopped.status).toBe(130);
    expect(stopped.stderr).toContain(`fedleak resume ${out}`);
    const { status, stdout } = await fedleak(["resume", out, "--json"]);
    expect(status).toBe(0);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ status: "finished", attack: "inverting-gradients", evaluations: 200 });
    expect(
      told.rows.map(({ name, evaluations }: { name: string; evaluations: number }) => [name, evaluations]),
    ).toEqual([
      ["seed-0", 200],
      ["control", 200],
    ]);
    expect(["fit-unconfirmed", "no-fit"]).toContain(told.outcome);
  });

  it("refuses bad input in one line", async () => {
    const none = await fedleak(["audit", freshFolder()]);
    expect(none.status).toBe(2);
    expect(none.stderr).toMatch(/error: update .*: it must be a folder with a manifest\.json/);
    const granted = await fedleak(["audit", "x", "--grant", "labels"]);
    expect(granted.stderr).toMatch(/^error: audit grants: granted labels must come from somewhere/);
    expect(granted.status).toBe(2);
  });
});
