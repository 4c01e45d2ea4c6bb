import { settingsLedger, settingsLedgerForColumns } from "../../../attacks/index.ts";
import { observationLedger } from "../../../fl/index.ts";
import { countElements } from "../../../nn/index.ts";
import { kebab } from "../../../util/index.ts";
import type { Assumption, RunRecord } from "../../record-schema.ts";
import { statedColumnsEntry } from "../../table-ledger.ts";
import type { UpdateManifest } from "../manifest.ts";
import { AGREES_DB } from "./agreement.ts";
import { FITS } from "./confidence.ts";
import { CONTROL_ABOUT } from "./control.ts";
import type { Plan } from "./plan.ts";
import type { LabelReport } from "./record.ts";
import type { Subject } from "./subject.ts";

/** Everything an audit assumes: what the manifest states, what it leaves open and was guessed, and how it was attacked. */
export function auditLedger(
  subject: Subject,
  plan: Plan,
  labels: LabelReport,
  versions: RunRecord["versions"],
): Assumption[] {
  const facts = [...manifestEntries(subject), ...threatModel(subject, labels), ...protocol(subject, plan, versions)];
  const names = new Set(facts.map(({ assumption }) => assumption));
  const tell = subject.captured.table ? settingsLedgerForColumns : settingsLedger;
  const settings = tell(plan.preset, plan.settings).map(({ name, value, origin, note }): Assumption => {
    const plain = kebab(name);
    return { assumption: names.has(plain) ? `attack-${plain}` : plain, value: String(value), origin, note };
  });
  return [...facts, ...settings];
}

/** What each entry of the manifest says, and whether anybody has said it. */
function manifestEntries({ captured, stated }: Subject): Assumption[] {
  const { manifest, notes } = captured;
  const told = Object.entries(ENTRIES).map(([name, text]): Assumption => {
    const known = stated.has(name);
    const follows = manifest.sent === "gradient" && OF_TRAINING.includes(name);
    return {
      assumption: KEBAB[name] ?? name,
      value: text(manifest),
      origin: known ? "user" : follows ? "measured" : "our-choice",
      note: known ? "stated in the manifest" : follows ? "a gradient has none" : "not stated in the manifest: guessed",
    };
  });
  const estimate = notes.join("; ");
  return [
    ...told,
    ...(captured.table ? [statedColumnsEntry(captured.table.columns)] : []),
    ...(estimate === "" ? [] : [{ assumption: "reading", value: estimate, origin: "measured" as const }]),
  ];
}

/** Entries that say nothing of an update that is a gradient. */
const OF_TRAINING: readonly string[] = ["learningRate", "localSteps", "optimiser"];

const orUnknown = (value: unknown) => (value === null ? "not known" : String(value));

/** In words, by the manifest's entry. */
const ENTRIES: Readonly<Record<string, (manifest: UpdateManifest) => string>> = {
  sent: ({ sent }) =>
    ({ gradient: "the gradient", weights: "weights after local training", delta: "weights after − before" })[sent],
  learningRate: ({ learningRate, sent }) =>
    sent === "gradient" && learningRate === null ? "not needed for a gradient" : orUnknown(learningRate),
  localSteps: ({ localSteps }) => String(localSteps),
  batchSize: ({ batchSize }) => orUnknown(batchSize),
  images: ({ images }) => orUnknown(images),
  optimiser: ({ optimiser: { name, momentum, weightDecay, clip } }) =>
    `${name}, momentum ${momentum}, weight decay ${weightDecay}${clip === null ? "" : `, clipped at ${clip}`}`,
  loss: ({ loss }) => loss,
  normalisation: ({ normalisation, columns }) => {
    if (columns)
      return columns.some(({ mean, std }) => (mean ?? std) !== undefined)
        ? "as the columns say"
        : "none: rows in [0,1]";
    return normalisation
      ? `(x − ${normalisation.mean.join(", ")}) / ${normalisation.std.join(", ")}`
      : "none: images in [0,1]";
  },
  batchNorm: ({ batchNorm }) => batchNorm,
  bnBuffers: ({ bnBuffers }) => bnBuffers,
  round: ({ round }) => orUnknown(round),
};

const KEBAB: Readonly<Record<string, string>> = {
  learningRate: "learning-rate",
  localSteps: "local-steps",
  batchSize: "images-a-step",
  images: "images-of-client",
  batchNorm: "bn-mode",
  bnBuffers: "bn-buffers",
};

/** What the server is taken to know. */
function threatModel({ captured, observation, spec, images, prior }: Subject, labels: LabelReport): Assumption[] {
  const seen = observationLedger(observation);
  const { model } = captured;
  const normed = model.buffers.length > 0;
  return [
    {
      assumption: "model",
      value: model.name,
      origin: "user",
      note: `${countElements(model.params).toLocaleString("en-US")} parameters`,
    },
    {
      assumption: "weights",
      value: "those handed out, as the files hold them",
      origin: "user",
      note: "that the gradient was taken at them is tested where the model allows it: see the check",
    },
    {
      assumption: "batch-size",
      value: `${images} ${captured.table ? "row" : "image"}${images === 1 ? " is" : "s are"} looked for`,
      origin: "user",
      note: spec.batchSize === null ? "as the manifest tells" : "as asked for on the command line",
    },
    {
      assumption: "granted",
      value: seen.granted!,
      origin: spec.grants.length > 0 ? "user" : "measured",
      note: "what the server knows beside the update",
    },
    { assumption: "labels", value: labels.about, origin: labels.granted ? "user" : "our-choice" },
    { assumption: "buffers", value: normed ? seen.buffers! : "no BatchNorm in this model", origin: "measured" },
    {
      assumption: "defence",
      value: "none is known of",
      origin: "our-choice",
      note: "the manifest has no entry for one; noise is found by the check where a law forbids it",
    },
    { assumption: "prior", value: prior?.prior.about ?? "none", origin: prior ? "user" : "our-choice" },
  ];
}

/** How the audit was led. */
function protocol(
  { spec, truth }: Subject,
  { preset, settings, verdicts }: Plan,
  versions: RunRecord["versions"],
): Assumption[] {
  const search = settings.method === "optimise";
  const { iterations, evaluations } = settings;
  return [
    { assumption: "attack", value: preset.name, origin: "source", note: preset.source },
    {
      assumption: "attack-choice",
      value: verdicts.map(({ attack, verdict }) => `${attack}: ${verdict}`).join("; "),
      origin: "our-choice",
    },
    {
      assumption: "stopping-rule",
      value: search
        ? `each search after ${iterations} iterations${evaluations > 0 ? ` or ${evaluations} gradient evaluations` : ""}`
        : "none: solved in closed form",
      origin: spec.budgetMs === null ? "user" : "measured",
      note: spec.budgetMs
        ? `of ${Math.round(spec.budgetMs / 1000)} s; repeat it with --evaluations ${evaluations}`
        : "no iterate is chosen by looking at private images",
    },
    ...(search
      ? [
          { assumption: "seeds", value: `${spec.seeds}, and one control, equally long`, origin: "user" as const },
          {
            assumption: "control",
            value: CONTROL_ABOUT,
            origin: "our-choice" as const,
            note: "what chance and the head alone explain",
          },
          {
            assumption: "fit",
            value: `a residual of at most ${FITS} of the control's, and of what pictures of strangers leave under the same labels`,
            origin: "our-choice" as const,
            note: "residual: 1 − cosine of the images' gradient to the update",
          },
          {
            assumption: "agreement",
            value: `pictures of the searches that fit, paired one-to-one, ${AGREES_DB} dB or more above blank pictures and the control's`,
            origin: "our-choice" as const,
            note: "needs no private image",
          },
        ]
      : []),
    {
      assumption: "truth",
      value: truth ? truth.source : "not given: nothing is scored",
      origin: "user",
      note: "no attack sees it, but for granted labels",
    },
    { assumption: "precision", value: "float32", origin: "our-choice" },
    { assumption: "seed", value: `${spec.seed}`, origin: spec.seed === 0 ? "our-choice" : "user" },
    { assumption: "device", value: spec.device, origin: "user" },
    {
      assumption: "versions",
      value: Object.entries(versions)
        .map(([name, version]) => (name === "platform" ? version : `${name} ${version}`))
        .join(", "),
      origin: "measured",
    },
  ];
}
