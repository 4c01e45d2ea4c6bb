import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type AuditEvent,
  type AuditOutcome,
  type AuditRequest,
  completeAuditSpec,
  parseAuditRecord,
  resumeAudit,
  runAudit,
} from "../../src/audit/index.ts";
import { int64, readSafetensors, writeSafetensors } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { classifierFile } from "../onnx/classifier.ts";
import { type Made, make, write } from "./captured-fixture.ts";

const render = () => "<p>report</p>";
const fresh = () => join(mkdtempSync(join(tmpdir(), "fedleak-audit-")), "out");

/** A short search whose step compiles fast. */
const SHORT = { name: "inverting-gradients", settings: { evaluations: 10 } };

function asked(update: string, request: Partial<AuditRequest> = {}) {
  return completeAuditSpec({ update, attack: SHORT, seeds: 2, threads: 1, checkpointEvery: 3, ...request });
}

type Done = Extract<AuditOutcome, { kind: "done" }>;
function done(outcome: AuditOutcome): Done {
  expect(outcome.kind).toBe("done");
  return outcome as Done;
}

/** A file of the private images and labels, in a folder of its own. */
function truthOf({ images, labels }: Made): string {
  const folder = mkdtempSync(join(tmpdir(), "fedleak-truth-"));
  writeFileSync(
    join(folder, "truth.safetensors"),
    writeSafetensors({ images, labels: int64([labels.length], labels) }),
  );
  return folder;
}

const imagesIn = (folder: string) =>
  readSafetensors(readFileSync(join(folder, "images.safetensors")), "images").tensors;
const OWN_NAME = { name: "lenet-sigmoid", options: { inputShape: [3, 8, 8], classes: 5 } };

describe("an audit of a captured update", { timeout: 120_000 }, () => {
  it("of one image of a fully connected network is exact, and proven", async () => {
    const made = await make({ batchSize: 1 });
    const events: AuditEvent[] = [];
    const { folder, record } = done(
      await runAudit(asked(write(made), { attack: {}, truth: truthOf(made) }), {
        ...{ command: "fedleak audit", render, out: fresh(), onEvent: (event) => events.push(event) },
      }),
    );
    expect(record.confidence).toMatchObject({ outcome: "exact", best: "closed-form", controlResidual: null });
    expect(record.confidence!.residual).toBeLessThan(1e-5); // float32 gradients
    expect(record.scores!.psnrDb.oneToOne).toBeGreaterThan(90);
    expect(record.scores!.labels).toMatchObject({ exact: true });
    expect(record.labels).toMatchObject({ inferred: [0], proven: { 0: 1 }, differing: [] });
    expect(record.plan.verdicts[0]).toMatchObject({
      attack: "linear-leak",
      verdict: expect.stringMatching(/^taken, 1 of 1/),
    });
    expect(record.rows.map(({ name }) => name)).toEqual(["closed-form"]);
    expect(record.advice.join(" ")).toMatch(/secure aggregation[\s\S]*put a convolution before it/);
    expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["stage", "checked", "folder"]));
    expect(parseAuditRecord(readFileSync(join(folder, "record.json"), "utf8"), "r")).toEqual(record);
    expect(imagesIn(folder).private).toEqual(made.images);
  });

  it("of a model in ONNX with a normalisation gives images in [0,1]", async () => {
    const plain = await make({ batchSize: 1 });
    const [mean, std] = [0.4, 0.2];
    // The network sees (x − mean)/std: the client's images in [0,1] are mean + std × what the fixture fed it.
    const truth = { ...plain, images: { ...plain.images, data: plain.images.data.map((v) => mean + std * v) } };
    const update = write(plain, { normalisation: { mean: [mean], std: [std] } });
    const outcome = await runAudit(asked(update, { attack: {}, truth: truthOf(truth) }), {
      command: "c",
      render,
      out: fresh(),
    });
    expect(done(outcome).record.scores!.psnrDb.oneToOne).toBeGreaterThan(90);
    expect(done(outcome).record.confidence!.residual).toBeLessThan(1e-5);
  });

  it("stopped in any search and continued ends as if it had not stopped", async () => {
    const made = await make({ onnx: classifierFile() });
    const update = write(made);
    const spec = asked(update, { truth: truthOf(made) });
    const whole = done(await runAudit(spec, { command: "c", render, out: fresh() }));
    expect(whole.record.rows.map(({ name, evaluations }) => [name, evaluations])).toEqual([
      ["seed-0", 10],
      ["seed-1", 10],
      ["control", 10],
    ]);
    expect(whole.record.confidence).toMatchObject({
      controlResidual: expect.any(Number),
      strangersResidual: expect.any(Number),
    });
    expect(readdirSync(whole.folder).sort()).toEqual(
      [
        ...["control", "seed-0", "seed-1"].map((name) => `${name}.images.safetensors`),
        ...["images.safetensors", "reconstructions.png", "record.json", "report.html"],
      ].sort(),
    );

    const out = fresh();
    const stopper = new AbortController();
    let seen = 0;
    const stopped = done(
      await runAudit(spec, {
        ...{ command: "c", render, out, signal: stopper.signal },
        onEvent: (event) => {
          if (event.kind === "iteration" && ++seen === 14) stopper.abort(); // in the second search
        },
      }),
    );
    expect(stopped.record).toMatchObject({ status: "interrupted", rows: [{ name: "seed-0" }] });
    expect(existsSync(join(out, "seed-1.state.safetensors"))).toBe(true);
    const damaged = fresh();
    cpSync(out, damaged, { recursive: true });
    writeFileSync(join(damaged, "seed-1.state.safetensors"), "cut short"); // as a disk may leave it
    const resumed = done(await resumeAudit(out, { render }));
    expect(resumed.record.status).toBe("finished");
    expect(resumed.record.confidence).toEqual(whole.record.confidence);
    expect(resumed.record.scores).toEqual(whole.record.scores);
    expect(imagesIn(out)).toEqual(imagesIn(whole.folder));
    expect(resumed.record.ledger).toContainEqual(expect.objectContaining({ assumption: "resumed" }));
    const anew = done(await resumeAudit(damaged, { render }));
    expect(anew.record.confidence).toEqual(whole.record.confidence);
    await expect(resumeAudit(out, { render })).rejects.toThrow(/a finished one/);
  });

  it("is not continued with another update or other private images", async () => {
    const [made, other] = [await make(OWN_NAME), await make({ ...OWN_NAME, seed: 9 })];
    const [update, truth] = [write(made), truthOf(made)];
    const out = fresh();
    const killed = runAudit(asked(update, { truth }), {
      ...{ command: "c", render, out },
      onEvent: (event) => {
        if (event.kind === "stage" && event.text.startsWith("compiling search 2")) throw new Error("killed");
      },
    });
    await expect(killed).rejects.toThrow("killed");
    cpSync(truthOf(other), truth, { recursive: true });
    await expect(resumeAudit(out, { render })).rejects.toThrow(/the private images must be those that the audit began/);
    cpSync(truthOf(made), truth, { recursive: true });
    cpSync(write(other), update, { recursive: true });
    await expect(resumeAudit(out, { render })).rejects.toThrow(/update, manifest and prior must be those/);
    cpSync(write(made), update, { recursive: true });
    expect(done(await resumeAudit(out, { render })).record.status).toBe("finished");
  });

  it("leaves no folder behind where its attack does not apply or cannot be compiled", async () => {
    const update = write(await make(OWN_NAME)); // two images: r-gap solves for one
    const out = fresh();
    const audit = (attack: AuditRequest["attack"]) =>
      runAudit(asked(update, { attack }), { command: "c", render, out });
    await expect(audit({ name: "r-gap" })).rejects.toThrow(/it solves for one image/);
    expect(existsSync(out)).toBe(false);
    expect(() => asked(update, { attack: { settings: { adaptive: true } } })).toThrow(/does not tell which defences/);
  });

  it("names in its ledger what the manifest states and what was guessed", async () => {
    const update = write(await make(OWN_NAME), { classNames: ["a", "b", "c", "d", "e"] });
    const { record } = done(await runAudit(asked(update, { seeds: 1 }), { command: "c", render, out: fresh() }));
    const entry = (name: string) => record.ledger.find(({ assumption }) => assumption === name);
    expect(entry("local-steps")).toMatchObject({ value: "1", origin: "user", note: "stated in the manifest" });
    expect(entry("normalisation")).toMatchObject({ origin: "our-choice", note: expect.stringContaining("guessed") });
    expect(entry("bn-mode")?.note).toContain("guessed");
    expect(record.scores).toBeUndefined();
    expect(["fit-unconfirmed", "no-fit"]).toContain(record.confidence!.outcome);
    expect(record.advice.join(" ")).toMatch(/no proof of safety[\s\S]*normalisation/);
  });

  it("of nothing but noise shows no leakage", async () => {
    const made = await make(OWN_NAME);
    const update = Object.fromEntries(
      Object.entries(made.update).map(([name, t], i) => {
        const head = name === made.model.head.weight || name === made.model.head.bias; // so that labels are as they were
        const noise = normal(key(i), t.data.length);
        return [name, head ? t : { ...t, data: t.data.map((_, j) => noise[j]!) }];
      }),
    );
    const spec = asked(write({ ...made, update }), { force: true });
    const { record } = done(await runAudit(spec, { command: "c", render, out: fresh() }));
    expect(record.confidence!.outcome).toBe("no-fit");
  });

  it("is refused, with advice, where the files contradict each other, unless it is forced", async () => {
    const made = await make({ onnx: classifierFile() });
    const other = await make({ onnx: classifierFile(), seed: 9 });
    const moved = Object.fromEntries(
      Object.entries(made.before).map(([name, t]) => [
        name,
        { ...t, data: t.data.map((v, i) => v * (1 + 0.3 * Math.sin(i))) },
      ]),
    );
    const update = write({ ...made, before: moved, update: other.update });
    const out = fresh();
    const outcome = await runAudit(asked(update), { command: "c", render, out });
    expect(outcome).toMatchObject({ kind: "refused", report: { consistent: false, verdict: "hopeless" } });
    expect(outcome.kind === "refused" && outcome.advice.join(" ")).toMatch(/weights that this very update began from/);
    expect(existsSync(out)).toBe(false);
    const forced = done(await runAudit(asked(update, { force: true, seeds: 1 }), { command: "c", render, out }));
    expect(forced.record.check.consistent).toBe(false);
    expect(forced.record.status).toBe("finished");
  });

  it("shares a budget among the searches and says how to repeat it; too little is an error", async () => {
    const update = write(await make(OWN_NAME));
    const attack = { ...SHORT, settings: { iterations: 12 } };
    const spec = asked(update, { attack, seeds: 1, budgetMs: 30_000 });
    const { record } = done(await runAudit(spec, { command: "c", render, out: fresh() }));
    const { evaluations } = record.plan.settings;
    expect(evaluations).toBeGreaterThan(0);
    for (const row of record.rows) expect(row.evaluations).toBe(Math.min(Number(evaluations), 12));
    const rule = record.ledger.find(({ assumption }) => assumption === "stopping-rule")!;
    expect(rule.note).toContain(`--evaluations ${evaluations}`);
    const none = runAudit(asked(update, { attack, budgetMs: 1 }), { command: "c", render, out: fresh() });
    await expect(none).rejects.toThrow(/a step of each of 3 searches/);
  });

  it("of several local steps may simulate them, where the manifest tells enough", async () => {
    const made = await make({ ...OWN_NAME, sent: "weights", localSteps: 2, batchSize: 1, learningRate: 0.1 });
    const attack = { ...SHORT, settings: { evaluations: 4, localModel: "unrolled" } };
    const spec = asked(write(made), { attack, seeds: 1 });
    const { record } = done(await runAudit(spec, { command: "c", render, out: fresh() }));
    expect(record.subject.shape).toEqual([2, 3, 8, 8]); // an image a step
    expect(record.plan.settings.localModel).toBe("unrolled");
    const known = record.ledger.find(({ assumption }) => assumption === "granted");
    expect(known?.value).toContain("local-schedule");
    expect(record.labels.proven).toBeNull();
    const adam = write(made, { optimiser: { name: "adam" } });
    const blind = done(
      await runAudit(asked(adam, { attack, seeds: 1 }), { command: "c", render, out: fresh() }),
    ).record;
    expect(blind.ledger.find(({ assumption }) => assumption === "granted")?.value).not.toContain("local-schedule");
  });

  it("needs a number of images, which may be told", async () => {
    const update = write(await make({ batchSize: 1 }), { batchSize: null });
    const audit = (batchSize: number | null) =>
      runAudit(asked(update, { attack: {}, batchSize }), { command: "c", render, out: fresh() });
    await expect(audit(null)).rejects.toThrow(/the number of images must be known[\s\S]*say at least 1/);
    expect(done(await audit(1)).record.confidence!.outcome).toBe("exact");
  });

  it("takes granted labels from the truth, and no others", async () => {
    const made = await make(OWN_NAME);
    const truth = truthOf({ ...made, labels: [4, 3] });
    const spec = asked(write(made), { truth, grants: ["labels"], seeds: 1 });
    const { record } = done(await runAudit(spec, { command: "c", render, out: fresh() }));
    expect(record.labels).toMatchObject({ inferred: [3, 4], granted: true, proven: null });
    expect([...record.rows[0]!.labels].sort()).toEqual([3, 4]);
    const few = truthOf({ ...made, labels: [4] });
    await expect(
      runAudit(asked(write(made), { truth: few, grants: ["labels"] }), { command: "c", render, out: fresh() }),
    ).rejects.toThrow(/a class for each of the 2 images/);
  });
});
