import { parseHTML } from "linkedom/worker";
import { describe, expect, it } from "vitest";
import { parseTrainRecord, type TrainRecord } from "../../src/audit/index.ts";
import { renderTraining } from "../../src/report/index.ts";

/** A federation of three clients that went through two rounds. */
const RECORD: TrainRecord = {
  format: "fedleak-training",
  version: 1,
  status: "finished",
  startedAt: "2026-03-14T09:26:53.000Z",
  command: "fedleak train --images '<b>'",
  spec: { training: "fedavg", model: { name: "mlp3" } },
  unit: "round",
  ledger: [{ assumption: "partition", value: "dirichlet, α = 0.5", origin: "user" }],
  versions: { fedleak: "0.1.0", onnxruntime: "1.0.0", platform: "linux x64" },
  data: {
    source: "photos",
    classNames: ["cat", "<script>"],
    closed: 30,
    open: 4,
    counts: [
      [10, 0],
      [2, 8],
      [3, 7],
    ],
  },
  curve: [
    { done: 1, seconds: 1, learningRate: 0.1, loss: 0.7, trainAccuracy: 0.5 },
    { done: 2, seconds: 2, learningRate: 0.05, loss: 0.6, trainAccuracy: 0.6, accuracy: 0.75, publicLoss: 0.5 },
  ],
  results: {
    done: 2,
    seconds: 2,
    open: { images: 4, accuracy: 0.75, interval95: [0.301, 0.954], majorityFloor: 0.5, loss: 0.5 },
  },
};

const page = (record: TrainRecord) => parseHTML(renderTraining(record)).document;

describe("renderTraining", () => {
  it("shows the accuracy, curves, who has what, and the assumptions", () => {
    expect(parseTrainRecord(JSON.stringify(RECORD), "record.json")).toEqual(RECORD); // the fixture is a sound record
    const document = page(RECORD);
    expect(document.querySelector("h1")!.textContent).toBe(
      "75\u00a0% of public images are classified rightly after 2 rounds",
    );
    expect(document.querySelector(".facts dd span")!.textContent).toBe(
      "of 4 images; 95 %: 30.1\u00a0% to 95.4\u00a0%; the commonest class alone: 50\u00a0%",
    );
    expect(document.querySelector("#partition")).not.toBeNull();
    const picture = [...document.querySelectorAll("svg")].find((svg) =>
      svg.getAttribute("aria-label")?.includes("clients"),
    )!;
    expect(picture.getAttribute("aria-label")).toBe("3 clients, each with 10 images of 1 to 2 classes");
    expect(picture.querySelectorAll("g[aria-label=bar] rect")).toHaveLength(5); // one a class that a client has
    const charts = [...document.querySelectorAll(".charts strong")].map((title) => title.textContent);
    expect(charts).toEqual(["Accuracy while training", "Loss while training", "Learning rate"]); // two points or more
    expect(document.body.textContent).toContain("dirichlet, α = 0.5");
  });

  it("escapes what comes from the record and loads nothing", () => {
    const text = renderTraining(RECORD);
    expect(text).not.toContain("<script>");
    expect(text).toContain("&lt;script&gt;");
    expect(text).not.toMatch(/(src|href)="(?!data:)/);
    expect(text).not.toMatch(/NaN|undefined|\[object/);
    expect(renderTraining(RECORD)).toBe(text);
  });

  it("says how a training ended that has no accuracy, or failed", () => {
    const { results: _, ...rest } = RECORD;
    const cut: TrainRecord = {
      ...rest,
      status: "interrupted",
      curve: RECORD.curve.slice(0, 1),
      data: { ...RECORD.data, counts: [] },
    };
    expect(page(cut).querySelector("h1")!.textContent).toBe("Stopped after 1 round, before the accuracy was measured");
    expect(page(cut).querySelector("#partition")).toBeNull();
    const failed: TrainRecord = { ...RECORD, status: "failed", failure: "training: NaN in round 3." };
    expect(page(failed).querySelector(".lead")!.textContent).toBe("training: NaN in round 3.");
    expect(page(failed).querySelector(".status")!.textContent).toBe("failed");
  });
});
