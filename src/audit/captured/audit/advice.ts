import type { CheckReport } from "../check.ts";
import { CLOSED_FORM } from "./confidence.ts";
import type { AuditRecord, Conclusion, Confidence } from "./record.ts";
import type { Subject } from "./subject.ts";

/** What to do when `check` found that the files contradict each other, one sentence each. */
export function adviceOnContradictions({ findings }: Pick<CheckReport, "findings">): string[] {
  const broken = findings.filter(({ level }) => level === "broken").map(({ test }) => test);
  return [
    "An attack on these files would measure their contradiction, not the client's privacy.",
    ...broken.flatMap((test) => REMEDIES[test] ?? []),
    "With --force the audit goes on all the same; its verdict then only holds for these files.",
  ];
}

/** By the test that failed. */
const REMEDIES: Readonly<Record<string, string>> = {
  symmetry: "Take the weights that this very update began from: the round's own, before the client trained.",
  "head-sum": "Check that the loss is the mean cross-entropy, and that nothing was added to the update.",
  "head-size": "Check learningRate and localSteps in the manifest.",
  rank: "Check batchSize and localSteps in the manifest, and that no noise was added.",
  "silent-bias": "Check that the model is the one that was trained, and that nothing was added to the update.",
  shapes: "Name the architecture and its options as the client had them.",
  missing: "Capture all tensors of the state dict.",
  finite: "Capture the update again: NaN or infinity in it cannot be attacked.",
  zero: "Capture the update again: nothing has changed in it.",
  "linear-leak": "Take the weights of the update's own round, and the true number of images.",
};

/**
 * What would change the outcome, one sentence each: what the client can do where something leaked, what the auditor can
 * where nothing was shown. Only what this update leaves open is told.
 */
export function adviceOn(
  subject: Subject,
  confidence: Confidence | undefined,
  conclusion: Conclusion | undefined,
  check: AuditRecord["check"],
): string[] {
  const noun = nounOf(subject);
  const doubts = check.findings.filter(({ level }) => level === "doubt").map(({ text }) => text);
  return [
    ...(conclusion?.leaks
      ? protections(subject, confidence?.outcome === "exact")
      : [
          ...(conclusion?.contradicted
            ? [`Make sure that the private ${noun}s are those behind this very update: what was found explains it.`]
            : []),
          ...furtherTests(subject, confidence),
        ]),
    ...doubts.map((text) => `The check doubts: ${text}.`),
  ];
}

/** What a client's data are called. */
const nounOf = ({ captured }: Subject): "row" | "image" => (captured.table ? "row" : "image");

function protections(subject: Subject, exact: boolean): string[] {
  const { captured, images, observation } = subject;
  const { manifest, model, table } = captured;
  const noun = nounOf(subject);
  const normed = model.buffers.length > 0;
  return [
    "Add secure aggregation, so that the server sees only the sum of many clients, or train with dp-sgd: fedleak attack --defence tells what a setting is worth.",
    ...(exact
      ? [
          `A first linear layer that the ${noun} goes into gives it away: ${table ? "" : "put a convolution before it, or "}leave its bias out${table ? ", and send no update of one row" : ""}.`,
        ]
      : []),
    ...(images <= FEW
      ? [`Larger batches: ${images} ${noun}${images === 1 ? " makes" : "s share"} one update here.`]
      : []),
    ...(manifest.localSteps === 1
      ? ["Several local steps before anything is sent: the server then sees only their sum."]
      : []),
    ...(normed && observation.statistics
      ? ["Keep BatchNorm's running statistics at the client: they were sent, and tell of the batch."]
      : []),
  ];
}

const FEW = 16; // images; where our searches still rebuild some; our choice

const OF_TRAINING: readonly string[] = ["learningRate", "localSteps"]; // a gradient has none

function furtherTests(subject: Subject, confidence: Confidence | undefined): string[] {
  const { spec, captured, images, stated } = subject;
  const noun = nounOf(subject);
  const guessed = ["batchSize", "localSteps", "learningRate", "normalisation", "batchNorm"].filter(
    (name) => !stated.has(name),
  );
  const needed =
    captured.manifest.sent === "gradient" ? guessed.filter((name) => !OF_TRAINING.includes(name)) : guessed;
  return [
    "Nothing shown is no proof of safety: another attack, more time, or a server that knows more may reach further.",
    ...(confidence?.outcome === "fit-but-disagree"
      ? [
          captured.table
            ? "The update is explained by rows that differ from seed to seed: believe none of them."
            : "The update is explained by images that differ from seed to seed: a prior (--prior, --grant public-data) may tell which are real.",
        ]
      : []),
    ...(confidence ? unconfirmed(confidence) : []),
    ...(confidence?.best === CLOSED_FORM
      ? ["Let searches look for it too (--attack auto), from several --seeds."]
      : ["Run it longer (--budget 1h) and with more --seeds before you rely on it."]),
    ...(images > 1 ? [`Audit the client's smallest batch: one ${noun} leaks most.`] : []),
    ...(needed.length > 0 ? [`Write into the manifest what was guessed: ${needed.join(", ")}.`] : []),
    ...(spec.grants.includes("labels")
      ? []
      : [
          `Grant the labels (${captured.table ? "--truth FILE.csv --target COLUMN" : "--truth DIR"} --grant labels) to see what a server that knows them gets.`,
        ]),
  ];
}

function unconfirmed({ outcome, best, fitting, controlResidual, strangersResidual }: Confidence): string[] {
  if (outcome !== "fit-unconfirmed" || best === CLOSED_FORM) return [];
  if (controlResidual === null || strangersResidual === null)
    return [
      "Run it again with another --seed: without a control and strangers nothing tells how well chance explains an update.",
    ];
  return fitting.length === 1 ? ["Only one search fits: run more --seeds."] : [];
}
