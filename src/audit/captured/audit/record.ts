import { z } from "zod";
import { runRecord } from "../../record-schema.ts";
import { runResults } from "../../results-schema.ts";
import { checkStored, hasFormat, parseStored, type StoredKind } from "../../stored-json.ts";

export const AUDIT_FORMAT = "fedleak-audit";
export const AUDIT_VERSION = 1; // raise it when a field changes its meaning or becomes required

const count = z.int().nonnegative();
const decibels = z.number().min(0).max(100);
/** 1 − cosine, in [0,2] up to rounding. */
const residual = z.number().min(-1e-6).max(2.000001);

const finding = z.strictObject({
  test: z.string(),
  level: z.enum(["broken", "doubt", "note", "passed"]),
  text: z.string(),
});

/** Of `check`, what an audit goes on with. */
const checked = z.strictObject({
  verdict: z.enum(["exact", "likely", "hard", "hopeless"]),
  reasons: z.array(z.string()),
  consistent: z.boolean(),
  findings: z.array(finding),
  equations: count,
  unknowns: count.nullable(),
  notes: z.array(z.string()),
});

const labels = z.strictObject({
  /** One class an image that is looked for, ascending. */
  inferred: z.array(count),
  granted: z.boolean(),
  about: z.string().min(1),
  /** By class, how many images of it there are at least, by the sign of the head's gradient; null: nothing follows. */
  proven: z.record(z.string(), count).nullable(),
  /** Rules that give these very counts, and rules that give others. */
  agreeing: z.array(z.string()),
  differing: z.array(z.string()),
});

/** One search, or the closed form. */
const row = z.strictObject({
  /** seed-0, seed-1, …, closed-form or control. */
  name: z.string().min(1),
  status: z.enum(["finished", "failed"]),
  failure: z.string().min(1).optional(),
  iterations: count,
  evaluations: count,
  seconds: z.number().nonnegative(),
  /** 1 − cosine of the gradient of its images to the update it was given; null: it failed. */
  residual: residual.nullable(),
  /** One class an image, in the order of its images. */
  labels: z.array(count),
  curve: runRecord.shape.curve,
  /** Of a closed form: what its images rest on; without it they prove nothing. */
  proof: z
    .strictObject({
      complete: z.boolean(),
      relativeResidual: z.number().nonnegative(),
      leastCosine: z.number().min(-1).max(1),
    })
    .optional(),
  /** Where proven images are not what the manifest states, one clause each; their pictures are then cut to [0,1]. */
  misfits: z.array(z.string().min(1)).min(1).optional(),
  /** Of a table's misfits: the cells of each row, numbers as they were solved for. */
  cells: z.array(z.array(z.string())).optional(),
});

const agreement = z.strictObject({
  /** PSNR between the seeds' pictures of this image, mean over the pairs of seeds. */
  meanDb: decibels,
  /** What pictures that show nothing would score against it, and the control's. */
  floorDb: decibels,
  agrees: z.boolean(),
});

const confidence = z.strictObject({
  outcome: z.enum(["exact", "agree-and-fit", "agree-in-part", "fit-but-disagree", "fit-unconfirmed", "no-fit"]),
  /** The row that is shown first: that of the least residual. */
  best: z.string().min(1),
  residual,
  /** Of the control; null: a closed form needs none, or it failed. */
  controlResidual: residual.nullable(),
  /** The least of what pictures of strangers leave, under the labels of any search; null as the control's. */
  strangersResidual: residual.nullable(),
  /** Rows that explain the update well beyond the control and the strangers. */
  fitting: z.array(z.string()),
  /** One entry for each image of the best row; empty with fewer than two fitting rows. */
  agreement: z.array(agreement),
});

/** What it comes to, by `conclusionOf`: headline, meaning and advice follow from it. */
const conclusion = z.strictObject({
  leaks: z.boolean(),
  /** Whether the private images say otherwise than the searches among themselves. */
  contradicted: z.boolean(),
  /** Private images that were rebuilt clearly above their own floors; null: there are none to score against. */
  images: z.strictObject({ clear: count, of: count }).nullable(),
});

const ofRuns = runResults.shape.table.unwrap();
const ofColumn = ofRuns.shape.columns.unwrap().element;

/** A run's table, where there may be no floors: one private row tells nothing of what guesses find. */
const rowScores = ofRuns.extend({
  floors: ofRuns.shape.floors.nullable(),
  beyondGuessing: z.boolean().nullable(),
  columns: z
    .array(ofColumn.extend({ floors: ofColumn.shape.floors.nullable() }))
    .min(1)
    .readonly(),
  /** Of each true row, the cells that the others' most frequent categories and medians match; absent with one row. */
  guessedCells: z.array(count).optional(),
});

/** The best row against the private images. */
const scores = runResults
  .pick({
    psnrDb: true,
    psnrInterval95Db: true,
    ssim: true,
    msSsim: true,
    mse: true,
    pairs: true,
    floors: true,
    leakage: true,
  })
  .extend({
    /** Absent for images. */
    table: rowScores.optional(),
    source: z.string().min(1),
    /** Mean one-to-one PSNR by row. */
    rows: z.record(z.string(), decibels),
    /** null: the private images came without classes. */
    labels: z
      .strictObject({ trueLabels: z.array(count), countAccuracy: z.number().min(0).max(1), exact: z.boolean() })
      .nullable(),
  });

const auditRecord = z.strictObject({
  format: z.literal(AUDIT_FORMAT),
  version: z.literal(AUDIT_VERSION),
  status: z.enum(["running", "finished", "interrupted", "failed"]),
  /** Why the audit failed; present exactly when it did. */
  failure: z.string().min(1).optional(),
  startedAt: z.iso.datetime(),
  command: z.string().min(1),
  spec: z.record(z.string(), z.json()),
  subject: z.strictObject({
    model: z.string(),
    sent: z.enum(["gradient", "weights", "delta"]),
    /** [B,C,H,W] of what is looked for. */
    shape: z.array(count).length(4),
    parameters: count,
    classNames: z.array(z.string()),
  }),
  /** Fingerprints of what was read: a resumed audit must read the same. Absent in records of earlier versions. */
  inputs: z.strictObject({ update: z.string().min(1), truth: z.string().min(1).nullable() }).optional(),
  check: checked,
  labels,
  /** What was decided before the first search. */
  plan: z.strictObject({
    attack: z.string().min(1),
    /** All settings of the attack. */
    settings: z.record(z.string(), z.json()),
    /** What was said of each attack, in the order it was looked at. */
    verdicts: z.array(z.strictObject({ attack: z.string().min(1), verdict: z.string().min(1) })),
  }),
  ledger: runRecord.shape.ledger,
  versions: runRecord.shape.versions,
  rows: z.array(row),
  confidence: confidence.optional(),
  /** There where confidence is. */
  conclusion: conclusion.optional(),
  /** Where the data are rows of a table: what the best row found, cell by cell. */
  table: z.strictObject({ columns: z.array(z.string()).min(1), rows: z.array(z.array(z.string())) }).optional(),
  scores: scores.optional(),
  /** Why there are no scores although there is a truth. */
  notScored: z.string().min(1).optional(),
  advice: z.array(z.string().min(1)),
});

/** The record of an audit of a captured update, `record.json` in its folder. */
export type AuditRecord = z.infer<typeof auditRecord>;
export type AuditRow = AuditRecord["rows"][number];
export type Confidence = z.infer<typeof confidence>;
export type Conclusion = z.infer<typeof conclusion>;
export type AuditScores = z.infer<typeof scores>;
/** A table's cells against the private rows, of a run or an audit. */
export type AuditTable = z.infer<typeof rowScores>;
export type LabelReport = z.infer<typeof labels>;

const KIND: StoredKind<AuditRecord> = {
  ...{ what: "a record", format: AUDIT_FORMAT, version: AUDIT_VERSION, schema: auditRecord, laws: complaints },
  remedy: {
    damaged: "Was the file cut short? Run the audit again.",
    foreign: "Pass the folder that fedleak audit printed.",
  },
};

/** Checks a record in memory; call it before writing one. Throws FedleakError. */
export const checkAuditRecord = (value: unknown, file: string): AuditRecord => checkStored(value, file, KIND);

/** Reads the text of a record and checks it. Throws FedleakError. */
export const parseAuditRecord = (text: string, file: string): AuditRecord => parseStored(text, file, KIND);

/** Whether the text is the record of an audit, sound or not. */
export const isAuditRecord = (text: string): boolean => hasFormat(text, AUDIT_FORMAT);

/** What a record says that cannot be true together. */
function complaints({ status, failure, confidence, rows, subject }: AuditRecord): string[] {
  const best = confidence && rows.find(({ name }) => name === confidence.best);
  return [
    ...((failure !== undefined) === (status === "failed")
      ? []
      : ["failure: must be there when the status is failed, and only then"]),
    ...(status !== "finished" || confidence ? [] : ["confidence: a finished audit must have one"]),
    ...(confidence && best?.residual !== confidence.residual
      ? ["confidence.residual: must be that of the best row"]
      : []),
    ...(confidence && confidence.agreement.length > 0 && confidence.agreement.length !== subject.shape[0]
      ? ["confidence.agreement: must have an entry for each image"]
      : []),
  ];
}
