import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { completeSpec, resumeRun, runAttack, studyLabels } from "../../src/audit/index.ts";
import { prepareTrial } from "../../src/audit/trial.ts";
import { importOnnx } from "../../src/onnx/index.ts";
import { classifierFile } from "../onnx/classifier.ts";
import { requireShared } from "../shared.ts";

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fedleak-own-"));
  file = join(folder, "mine.onnx");
  writeFileSync(file, classifierFile());
});

const asked = (options = {}, model = file) =>
  completeSpec({
    attack: { name: "inverting-gradients", settings: { iterations: 4 } },
    model: { name: model, options },
    data: { name: "embedded", size: 8 },
    client: { batchSize: 2 },
    threads: 1,
  });

describe("an attack on a client that trains a model of one's own, in ONNX", { timeout: 60_000 }, () => {
  it("needs as many classes as the data has", async () => {
    await expect(prepareTrial(asked())).rejects.toThrow(
      /classes must be at least the number of classes .*\(8\); got 4/,
    );
  });

  it("refuses options that are none, and lists of another length", async () => {
    await expect(prepareTrial(asked({ width: 4 }))).rejects.toThrow(/option/);
    await expect(prepareTrial(asked({ mean: [0.5] }))).rejects.toThrow(/--mean: it must be 3 numbers/);
    await expect(prepareTrial(asked({ std: [1, 0, 1] }))).rejects.toThrow(/above 0/);
    await expect(prepareTrial(asked({ classes: 9 }))).rejects.toThrow(/that of the file, 4/);
    await expect(prepareTrial(asked({}, join(folder, "none.onnx")))).rejects.toThrow(/none\.onnx/);
  });

  it("runs on its own weights, normalised, and says so; a changed file is not continued with", async (context) => {
    const golden = requireShared(context, "onnx/lenet-sigmoid-eval.onnx");
    const { weights } = importOnnx(readFileSync(golden));
    const mine = join(folder, "lenet.onnx");
    writeFileSync(mine, readFileSync(golden));
    const spec = {
      ...asked({ mean: [0.4, 0.4, 0.4], std: [0.2, 0.2, 0.2] }, mine),
      data: { ...asked().data, size: 32 },
    };
    const trial = await prepareTrial(spec);
    expect(trial.weights).toEqual(weights);
    expect(trial.weightsAbout).toMatch(/ONNX file/);
    const plain = await prepareTrial({ ...spec, model: { ...spec.model, options: {} } });
    expect(trial.observation.update).not.toEqual(plain.observation.update); // the normalisation acts
    const again = await prepareTrial(completeSpec(JSON.parse(JSON.stringify(trial.spec)))); // as resume reads it
    expect(again.specPrint).toBe(trial.specPrint);
    expect(again.observation.update).toEqual(trial.observation.update);

    const stopper = new AbortController();
    const out = join(folder, "run");
    const stopped = await runAttack(spec, {
      ...{ command: "c", render: () => "", out, signal: stopper.signal },
      onEvent: (event) => event.kind === "iteration" && event.iteration === 2 && stopper.abort(),
    });
    expect(stopped.record.status).toBe("interrupted");
    writeFileSync(mine, classifierFile());
    await expect(resumeRun(out, { render: () => "" })).rejects.toThrow(/the file that the run began with/);
    writeFileSync(mine, readFileSync(golden));
    const resumed = await resumeRun(out, { render: () => "" });
    expect(resumed.record.status).toBe("finished");
    const entry = (name: string) => resumed.record.ledger.find(({ assumption }) => assumption === name)?.value;
    expect(entry("model")).toBe("lenet.onnx");
    expect(entry("weights")).toMatch(/ONNX file/);
    const study = await studyLabels(spec, { batches: [2], trials: 1, rules: ["auto"] });
    expect(study.weights).toMatch(/ONNX file/);
  });
});
