import { gatherEvidence, inferLabels } from "../../attacks/index.ts";
import type { Device } from "../../runtime/index.ts";
import { FedleakError, key } from "../../util/index.ts";
import { EXPLAINS, proofText } from "../proof.ts";
import { type ClosedFormResult, tryClosedForms } from "./closed-form.ts";
import { type Finding, found } from "./finding.ts";
import { headLaws } from "./head-laws.ts";
import { equationsOf, type LayerRow, layerRows } from "./layer-rows.ts";
import type { TensorMatch } from "./match.ts";
import { imagesOf, observationOf } from "./observation.ts";
import { type CapturedUpdate, readCaptured } from "./read.ts";
import { symmetryLaw } from "./symmetry-law.ts";
import { bufferLaws, changeLaws, matchLaws, numberLaws, rankLaws } from "./tensor-laws.ts";
import { type Judged, judge } from "./verdict.ts";

export interface CheckOptions {
  readonly device: Device;
  readonly threads: number;
  /** How many images to look for; the manifest tells when not given. */
  readonly images?: number;
}

/** What a captured update is worth attacking, and whether it is what its manifest says. Plain JSON. */
export interface CheckReport extends Judged {
  /** Whether no test found a contradiction. */
  readonly consistent: boolean;
  readonly model: string;
  readonly sent: "gradient" | "weights" | "delta";
  /** Images that an attack looks for; null: not known. */
  readonly images: number | null;
  readonly findings: readonly Finding[];
  readonly layers: readonly LayerRow[];
  /** Numbers of the update that are not 0; numbers that are sought, null when the images are not known. */
  readonly equations: number;
  readonly unknowns: number | null;
  /** Images a class, as inferred; null: not inferred, and `labelsAbout` says why. */
  readonly labelCounts: Readonly<Record<string, number>> | null;
  readonly labelsAbout: string;
  readonly closedForms: readonly ClosedFormResult[];
  readonly matches: { readonly before: readonly TensorMatch[]; readonly update: readonly TensorMatch[] };
  readonly notes: readonly string[];
}

/** Reads a captured update and checks it: seconds before hours are spent. Throws FedleakError when it cannot be read. */
export async function checkFolder(folder: string, options: CheckOptions): Promise<CheckReport> {
  return checkCaptured(await readCaptured(folder), options);
}

/**
 * Checks whether an update is a gradient of its model at the weights handed out, and how far it gives its images away.
 *
 * Only what a server has is looked at. The same files give the same report.
 */
export async function checkCaptured(captured: CapturedUpdate, options: CheckOptions): Promise<CheckReport> {
  const { manifest, network, matched, notes } = captured;
  const images = options.images ?? imagesOf(captured);
  const rows = layerRows(captured);
  const first = [
    ...matchLaws(captured),
    ...numberLaws(rows),
    ...changeLaws(captured, rows),
    ...rankLaws(captured, rows),
    ...headLaws(captured, rows),
    ...bufferLaws(captured),
  ];
  const sound = rows.every(({ norm, notFinite }) => norm !== null && notFinite === 0);
  const findings = [...first, ...(sound ? await symmetryLaw(captured, rows, options) : [])];
  const labels = sound ? await labelsOf(captured, images, options) : UNREADABLE;
  const closedForms = sound
    ? await tryClosedForms(network, observationOf({ ...captured, model: network }, images), options)
    : [];
  const all = [...findings, ...closedForms.flatMap((result) => closedFormLaw(result, manifest.localSteps))];
  const { equations, unknowns } = equationsOf(rows, network, images);
  return {
    ...judge(captured, { findings: all, rows, images, closedForms }),
    consistent: all.every(({ level }) => level !== "broken"),
    ...{ model: network.name, sent: manifest.sent, images: images ?? null },
    ...{ findings: all, layers: rows, equations, unknowns },
    ...{ labelCounts: labels.counts, labelsAbout: labels.about, closedForms },
    ...{ matches: { before: matched.before.matches, update: matched.update.matches }, notes },
  };
}

interface Labels {
  readonly counts: Readonly<Record<string, number>> | null;
  readonly about: string;
}

const UNREADABLE: Labels = { counts: null, about: "not inferred: the update is not whole" };

async function labelsOf(captured: CapturedUpdate, images: number | undefined, options: CheckOptions): Promise<Labels> {
  const { model, manifest } = captured;
  if (images === undefined) return { counts: null, about: "not inferred: the number of images is not known" };
  try {
    const observation = observationOf(captured, images);
    const plan = { model, observation, batchSize: images, mode: manifest.batchNorm, key: key(0), ...options }; // dummies only
    const { labels, about } = inferLabels("auto", await gatherEvidence(plan, "auto"));
    const counts: Record<string, number> = {};
    for (const label of labels) {
      const name = manifest.classNames[label] ?? `${label}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return { counts, about };
  } catch (error) {
    if (!(error instanceof FedleakError)) throw error;
    return { counts: null, about: `not inferred: ${error.message}` };
  }
}

/** A closed form that gives one image whose gradient is not the update says that the files do not belong together. */
function closedFormLaw({ method, outcome, cosine, proof, about }: ClosedFormResult, localSteps: number): Finding[] {
  if (outcome === "solved")
    return [found(method, "passed", `${about}; its gradient is the update (${proofText(proof!)})`)];
  if (outcome === "not" || localSteps > 1 || method !== "linear-leak" || !about.startsWith("1 of 1")) return [];
  if (cosine! >= EXPLAINS) {
    const half = `the image that the first layer spells out explains the update only in part (${proofText(proof!)})`;
    return [found(method, "doubt", `${half}: it is not exact, or not of these weights`)];
  }
  const text = `the image that the first layer spells out has another gradient (cosine ${cosine!.toFixed(4)})`;
  return [
    found(
      method,
      "broken",
      `${text}: the weights are of another round, there are more images than told, or noise was added`,
    ),
  ];
}
