import type { AuditRecord } from "../../audit/index.ts";
import { plural } from "../format.ts";

type Confidence = NonNullable<AuditRecord["confidence"]>;
type Outcome = Confidence["outcome"];
type Clear = { readonly clear: number; readonly of: number };

/** The name of the row of a closed form. */
export const CLOSED_FORM = "closed-form";

/** Headline and meaning, both from the record's conclusion, from which its advice comes too: they cannot contradict each other. */
export function conclusionText(
  record: AuditRecord,
  confidence: Confidence,
): { readonly headline: string; readonly meaning: string } {
  const { conclusion } = record;
  const own = { headline: searchesHeadline(record, confidence), meaning: meaningOf(confidence) };
  if (!conclusion?.images) return own;
  const { leaks, contradicted, images } = conclusion;
  if (confidence.outcome === "exact") return contradicted ? { ...own, meaning: `${own.meaning} ${FOREIGN}` } : own;
  if (contradicted) return leaks ? untold(images) : record.table ? MISLED_ROWS : MISLED;
  if (!leaks || (images.clear === images.of && confidence.outcome !== "agree-in-part")) return own;
  return { headline: `${leakText(images)}, as the private images show.`, meaning: IN_PART };
}

/** `This update leaks 1 of 4 images` */
const leakText = ({ clear, of }: Clear) => `This update leaks ${clear} of ${plural(of, "image")}`;

const IN_PART =
  "The private images tell which pictures are theirs, image by image; how far the searches agree is said below.";

function untold(images: Clear) {
  return {
    headline: `${leakText(images)}, as the private images show; without them nothing here would have told.`,
    meaning:
      "The searches among themselves do not show a leak, and yet they found private images: do not rely on their silence.",
  };
}

const FOREIGN =
  "The private images that were given are others: they are not those of this update, or the manifest describes them wrongly.";

const MISLED = {
  headline: "The searches agree, but not on the private images: no meaningful leakage.",
  meaning:
    "No private image was rebuilt clearly above its floor. Either what was found is not the client's, or the private images are not those of this update.",
};

const MISLED_ROWS = {
  headline: "The searches agree, but not on the private rows: no meaningful leakage.",
  meaning:
    "No more of the private cells match than guessing finds. Either what was found is not the client's, or the private rows are not those of this update.",
};

/** What the searches tell among themselves. */
function searchesHeadline({ rows, subject }: AuditRecord, { outcome, fitting, agreement }: Confidence): string {
  const sought = subject.shape[0]!;
  const seeds = rows.filter(({ name }) => name.startsWith("seed-")).length;
  const agreeing = agreement.filter(({ agrees }) => agrees).length;
  const all = fitting.length === seeds;
  const who = all ? "every search found" : `${fitting.length} of ${seeds} searches fit and found`;
  if (outcome === "exact")
    return `This update gives ${sought === 1 ? "its image" : `its ${sought} images`} away exactly.`;
  if (outcome === "agree-and-fit")
    return `This update leaks: ${who} the same ${sought === 1 ? "picture" : `${sought} pictures`}.`;
  if (outcome === "agree-in-part")
    return `This update leaks in part: ${who} the same picture of ${agreeing} of ${plural(sought, "image")}.`;
  return HEADLINES[outcome];
}

const HEADLINES: Readonly<Record<Exclude<Outcome, "exact" | "agree-and-fit" | "agree-in-part">, string>> = {
  "fit-but-disagree": "The update can be explained, but not which images are behind it.",
  "fit-unconfirmed": "Something that explains this update was found, and nothing confirms it.",
  "no-fit": "No meaningful leakage shown under these assumptions.",
};

function meaningOf({ outcome, best, controlResidual, strangersResidual }: Confidence): string {
  if (best === CLOSED_FORM && outcome !== "exact")
    return CLOSED_FORM_MEANINGS[outcome === "no-fit" ? "no-fit" : "open"];
  if (outcome === "fit-unconfirmed" && (controlResidual === null || strangersResidual === null)) return UNMEASURED;
  return MEANINGS[outcome];
}

const CLOSED_FORM_MEANINGS = {
  open: "A closed form was solved, and its images explain the update as a whole, which the labels alone may do. Its equations do not hold, not every tensor is explained, or they are one of many images that fit: no proof.",
  "no-fit": "A closed form was solved, and its images have another gradient than the captured update.",
} as const;

const UNMEASURED =
  "Fit, not confirmed: the control or the measure of strangers failed, so nothing tells how well chance and labels explain such an update.";

const MEANINGS: Readonly<Record<Outcome, string>> = {
  exact:
    "A closed form solved for the images, its equations hold, and their gradient is the captured update in every tensor: that is a proof, no guess.",
  "agree-and-fit":
    "Agree and fit: searches that began apart came to the same pictures, and these explain the update. Take what they show for the client’s; what all of them lack, detail or colour, does not show here.",
  "agree-in-part":
    "Agree in part and fit: take what the pictures that agree show for the client’s, and the others for guesses; where fewer than half of the searches fit, take all of it with care.",
  "fit-but-disagree":
    "Fit but disagree: the searches explain the update, each by other pictures. Under these assumptions no image is shown to leak; which one is real is open.",
  "fit-unconfirmed": "Fit, not confirmed: fewer than two searches explain the update, so there is nothing to compare.",
  "no-fit":
    "Do not fit: what was found explains the update hardly better than chance and labels do: the same search on an update of nobody, or pictures of strangers. That holds for this attack and this budget.",
};
