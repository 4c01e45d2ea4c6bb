import { type AttackRun, type AttackSettings, settingsLedger, settingsLedgerForColumns } from "../attacks/index.ts";
import { link, linkText } from "../defences/index.ts";
import { DEFAULT_GRANTS, observationLedger } from "../fl/index.ts";
import { buildModel } from "../models/index.ts";
import { countElements } from "../nn/index.ts";
import { kebab } from "../util/index.ts";
import { clientEntries } from "./client-ledger.ts";
import { canonicalJson } from "./fingerprint.ts";
import { DISTRACTORS } from "./identify.ts";
import { drawsWeights, isOwnModel } from "./own-model.ts";
import type { Assumption, RunRecord } from "./record-schema.ts";
import { completeSpec } from "./spec.ts";
import { columnsEntry } from "./table-ledger.ts";
import type { Trial } from "./trial.ts";

/** Everything the numbers of a run assume, with who says so (DESIGN section 4, Ledger). */
export function ledgerOf(trial: Trial, attack: AttackRun, versions: RunRecord["versions"]): Assumption[] {
  const facts = [...threatModel(trial, attack), ...subject(trial), ...protocol(trial, versions)];
  const names = new Set(facts.map(({ assumption }) => assumption));
  const tell = trial.source.table ? settingsLedgerForColumns : settingsLedger;
  const settings = tell(trial.preset, trial.settings).flatMap(({ name, value, origin, note }): Assumption[] => {
    const plain = kebab(name);
    const assumption = names.has(plain) ? `attack-${plain}` : plain;
    const idle = trial.observation.local === undefined && OF_LOCAL_STEPS.includes(name);
    if (idle && origin !== "user") return [];
    const instead = OF_LOCAL_STEPS.includes(name) ? attack.ledger.localModelInstead : undefined;
    const why = idle ? "no effect here: no local steps are known" : instead;
    const about = why === undefined ? note : `${note}; ${why}`;
    return [{ assumption, value: String(value), origin, note: about }];
  });
  return [...facts, ...settings];
}

const OF_LOCAL_STEPS: readonly string[] = ["localModel", "surrogateAt"];

/** What the server knows and what it does with it. */
function threatModel({ spec, preset, observation, model, prior }: Trial, attack: AttackRun): Assumption[] {
  const { grants, batchNorm, batchSize } = spec.client;
  const seen = observationLedger(observation);
  const added = grants.filter((grant) => !DEFAULT_GRANTS.includes(grant));
  const normed = model.buffers.length > 0;
  return [
    { assumption: "attack", value: preset.name, origin: "source", note: preset.source },
    ...choiceEntries(spec.attack.choice),
    {
      assumption: "granted",
      value: seen.granted!,
      origin: added.length > 0 ? "user" : "paper",
      note: "what the server knows beside the update",
    },
    {
      assumption: "labels",
      value: grants.includes("labels") ? "known to the attack (granted), in no order" : attack.ledger.labels!,
      origin: grants.includes("labels") ? "user" : labelOrigin(attack.ledger.labelRule),
    },
    {
      assumption: "bn-mode",
      value: normed ? seen.batchNorm! : "no BatchNorm in this model",
      origin: !normed ? "measured" : batchNorm === "train" ? "release" : "user",
      ...(normed &&
        attack.ledger.attackerBatchNorm && { note: `the attack normalises ${attack.ledger.attackerBatchNorm}` }),
    },
    {
      assumption: "buffers",
      value: normed ? seen.buffers! : "none",
      origin: grants.includes("bn-statistics") ? "user" : "our-choice",
    },
    { assumption: "batch-size", value: `${seen.batchSize} to the server (${batchSize})`, origin: "paper" },
    localEntry(spec, observation, attack),
    priorEntry(spec.attack.prior, prior),
    defenceEntry(spec),
    ...(attack.ledger.adaptive === undefined ? [] : [adaptiveEntry(attack.ledger.adaptive)]),
    ...(attack.ledger.contrast === undefined ? [] : [contrastEntry(attack.ledger.contrast)]),
  ];
}

/** How the client trained, and what the attacker takes that for. */
function localEntry({ client }: Trial["spec"], { local }: Trial["observation"], { ledger }: AttackRun): Assumption {
  const { localSteps: steps, localLearningRate: rate, batchSize } = client;
  if (steps === 1) return { assumption: "local-steps", value: "1: the update is one gradient", origin: "paper" };
  const known = local ? "the server knows this, not which image came when" : "the server does not know this";
  return {
    assumption: "local-steps",
    value: `${steps} of SGD at learning rate ${rate}, each on images of its own (${steps} × ${batchSize})`,
    origin: "user",
    note: [known, ledger.localModel, "the update is (weights before − weights after)/(rate × steps)"]
      .filter((text) => text !== undefined)
      .join("; "),
  };
}

/** What the client does to its update before the server sees it, every setting told. */
function defenceEntry({ client }: Trial["spec"]): Assumption {
  const links = client.defences.map(({ name, settings }) => link(name, settings));
  if (links.length === 0) return { assumption: "defence", value: "none", origin: "our-choice" };
  const notes = links.map(({ defence, settings }) => {
    const follows = defence.tells?.(settings);
    return `${defence.name}: ${defence.claim}${follows ? ` (${follows})` : ""}`;
  });
  return { assumption: "defence", value: links.map(linkText).join(", then "), origin: "user", note: notes.join("; ") };
}

/** What the attack does about each defence that it knows of. */
function adaptiveEntry(about: string): Assumption {
  const note = "the attacker knows the defences and their settings, not what they drew";
  return { assumption: "adaptive-attacker", value: about, origin: "user", note };
}

/** That brightness and contrast were filled in, not found. */
function contrastEntry(value: string): Assumption {
  const note =
    "for the setting stretch; scores of a batch that does not span [0,1] suffer, those of one that does gain";
  return { assumption: "contrast", value, origin: "our-choice", note };
}

/** How "auto" came to the attack, and why it took none of the others. */
function choiceEntries(choice: Trial["spec"]["attack"]["choice"]): Assumption[] {
  if (choice === null) return [];
  const value = choice.verdicts.map(({ attack, verdict }) => `${attack}: ${verdict}`).join("; ");
  const note = `within ${Math.round(choice.budgetMs / 1000)} s, closed forms first; no choice by the private images`;
  return [{ assumption: "attack-choice", value, origin: "our-choice", note }];
}

/** What the attack learned from public images beforehand. */
function priorEntry(path: string | null, prior: Trial["prior"]): Assumption {
  if (prior) return { assumption: "prior", value: prior.prior.about, origin: "user", note: `from ${path}` };
  return path === null
    ? { assumption: "prior", value: "none", origin: "our-choice" }
    : { assumption: "prior", value: "none: one was given, but this attack has no use for it", origin: "user" };
}

/** Rules of the literature, or our own. */
function labelOrigin(rule: string | undefined): Assumption["origin"] {
  if (rule === "paper") return "paper";
  return rule === "counts" || rule === "head-inversion" ? "our-choice" : "source";
}

/** The model and the data under attack. */
function subject(trial: Trial): Assumption[] {
  const { spec, model, weightsAbout, truth, indices, source } = trial;
  const { activation, inputShape, classes } = model.options;
  const usual = completeSpec({});
  const family = isOwnModel(spec.model) ? model.options : buildModel(model.name, { inputShape, classes }).options;
  return [
    { assumption: "model", value: model.name, origin: chosen(model.name, usual.model.name) },
    { assumption: "parameters", value: countElements(model.params).toLocaleString("en-US"), origin: "measured" },
    {
      assumption: "activation",
      value: typeof activation === "string" ? activation : "the model's own",
      origin: chosen(activation, family.activation),
      note: "smooth activations leak far more than relu",
    },
    {
      assumption: "weights",
      value: weightsAbout,
      origin: drawsWeights(spec) ? "our-choice" : "user",
      note: "untrained weights leak otherwise than trained ones",
    },
    {
      assumption: "data",
      value: `${truth.source}, ${truth.images.shape.slice(1).join("×")}`,
      origin: chosen(canonicalJson(spec.data), canonicalJson(usual.data)),
    },
    ...clientEntries(trial),
    ...(source.table ? [columnsEntry(source.table)] : []),
    {
      assumption: "batch",
      value: `${source.table ? "rows" : "images"} ${indices.join(", ")} of the data`,
      origin: "measured",
      note:
        spec.data.draw === "one-per-class"
          ? "drawn from the seed, different classes while they last: repeated labels are harder to tell apart"
          : `drawn uniformly from the seed${spec.data.partition === null ? "" : ", of the client's images"}`,
    },
  ];
}

/** When a search ends and what of it is handed over. */
function stoppingRule(settings: AttackSettings): string {
  const { iterations, evaluations, stopBelow, optimiser, polish, averageFrom, restarts, consensus } = settings;
  const ends = [
    `after ${iterations} iterations`,
    ...(evaluations > 0 ? [`${evaluations} gradient evaluations`] : []),
    ...(stopBelow > 0 ? [`a loss below ${stopBelow}`] : []),
  ];
  const handed = [
    averageFrom < 1 && `the mean of the iterates from ${100 * averageFrom} % on`,
    averageFrom === 1 && polish > 0 && "the point of lowest own loss in the polish",
    averageFrom === 1 && polish === 0 && (optimiser === "cma-es" ? "the point of lowest own loss" : "the last iterate"),
    restarts > 1 &&
      (consensus === "mean"
        ? `the mean of ${restarts} candidates`
        : `of ${restarts} candidates the one of lowest own loss`),
  ].filter((text) => text !== false);
  return `${ends.join(" or ")}, ${handed.join("; ")}`;
}

/** How the run was led and scored. */
function protocol({ spec, settings, lpips }: Trial, versions: RunRecord["versions"]): Assumption[] {
  const { peekEvery } = spec.measure;
  const usual = completeSpec({});
  return [
    {
      assumption: "scoring",
      value: "one-to-one (least summed squared error) is the headline, many-to-one beside it",
      origin: "our-choice",
      note: "The paper scores many-to-one.",
    },
    {
      assumption: "intervals",
      value: "95 %, bootstrap over the images (percentiles of 2000 resamples); of shares, Wilson's",
      origin: "our-choice",
      note: "Too short for few images.",
    },
    {
      assumption: "identification",
      value: `each image among ${DISTRACTORS.most} others of the data, fewer where there are fewer, of any class, paired as it is`,
      origin: "our-choice",
      note: "By distances; the paper's success rate is judged by three people: fedleak rate.",
    },
    {
      assumption: "lpips",
      value: lpips === undefined ? "not measured: no weights" : lpips.about,
      origin: lpips === undefined ? "our-choice" : "user",
    },
    {
      assumption: "stopping-rule",
      value: settings.method === "optimise" ? stoppingRule(settings) : "none: solved in closed form, not searched for",
      origin: "our-choice",
      note: "No iterate is chosen by looking at the private images.",
    },
    {
      assumption: "peek",
      value: peekEvery === 0 ? "never" : `PSNR shown every ${peekEvery} iterations`,
      origin: peekEvery === 0 ? "our-choice" : "user",
      ...(peekEvery > 0 && { note: "The audience saw it; the attack did not." }),
    },
    { assumption: "precision", value: "float32", origin: "our-choice" },
    { assumption: "seed", value: `${spec.seed}`, origin: chosen(spec.seed, usual.seed) },
    { assumption: "device", value: spec.device, origin: chosen(spec.device, usual.device) },
    {
      assumption: "threads",
      value: spec.threads === 0 ? "one a core, as the runtime counts them" : `${spec.threads}`,
      origin: chosen(spec.threads, usual.threads),
      note: "Another number of threads may change the last bits.",
    },
    {
      assumption: "versions",
      value: Object.entries(versions)
        .map(([name, version]) => (name === "platform" ? version : `${name} ${version}`))
        .join(", "),
      origin: "measured",
    },
  ];
}

/** Who says so: the user, where the value is not the default; a default that the user wrote out is our choice all the same. */
function chosen<T>(value: T, usual: T): "user" | "our-choice" {
  return value === usual ? "our-choice" : "user";
}
