import type { AuditRecord } from "../../audit/index.ts";
import { compactText, dbText, plural, signedDbText } from "../format.ts";
import type { Verdict } from "../verdict.ts";

/** `1 search`, `3 searches` */
export const searchesText = (count: number): string => `${count} search${count === 1 ? "" : "es"}`;

type Outcome = NonNullable<AuditRecord["confidence"]>["outcome"];

/** How the words follow from the numbers, for the reader. */
export const AUDIT_RULE =
  "A search fits when its residual is at most half of the control's, and half of what pictures of strangers leave under the same labels. An image agrees when the fitting searches' pictures of it are " +
  "3 dB or more closer to each other than blank pictures and the control's are. Both limits are our choice. Agreement is no proof: " +
  "searches may share an error, as one that a prior brings.";

/** What an audit shows, in plain words: first whether the update leaks, then what that rests on. */
export function auditVerdict(record: AuditRecord): Verdict {
  const { confidence, status } = record;
  if (!confidence) return unjudged(record);
  const { agreement, outcome, best, residual, controlResidual, fitting } = confidence;
  const sought = record.subject.shape[0]!;
  const agreeing = agreement.filter(({ agrees }) => agrees).length;
  const seeds = record.rows.filter(({ name }) => name.startsWith("seed-")).length;
  const measured =
    controlResidual === null
      ? `The residual of ${best} is ${compactText(residual)} (0: its gradient is the update).`
      : `${searchesText(fitting.length)} of ${seeds} ${fitting.length === 1 ? "fits" : "fit"}: ${best} leaves a residual of ${compactText(residual)}, ` +
        `the control on an update of nobody ${compactText(controlResidual)}${strangersText(confidence)}.`;
  return {
    headline: corrected(record) ?? HEADLINES[outcome](agreeing, sought),
    sentences: [
      ...(status === "finished" ? [] : [`The audit is ${status}.`]),
      MEANINGS[outcome],
      measured,
      ...(agreement.length > 0 ? [agreementSentence(agreement)] : []),
      ...scoreSentences(record),
      ...(record.check.consistent
        ? []
        : ["The check found that the files contradict themselves: this verdict holds for these files only."]),
    ],
  };
}

const CLEAR_DB = 3; // as a run's "in part": half the squared error; our choice

/** The headline where the private images say otherwise than the searches among themselves; undefined where they do not. */
function corrected({ confidence, scores }: AuditRecord): string | undefined {
  if (!confidence || !scores) return undefined;
  const leaks = scores.leakage.oneToOne.aboveFloorDb >= CLEAR_DB;
  const told = ["exact", "agree-and-fit", "agree-in-part"].includes(confidence.outcome);
  if (leaks && !told)
    return "This update leaks, as the private images show; without them nothing here would have told.";
  if (!leaks && told) return "The searches agree, but not on the private images: no meaningful leakage.";
  return undefined;
}

const HEADLINES: Readonly<Record<Outcome, (agreeing: number, sought: number) => string>> = {
  exact: (_, sought) => `This update gives ${sought === 1 ? "its image" : `its ${sought} images`} away exactly.`,
  "agree-and-fit": (_, sought) =>
    `This update leaks: every search found the same ${sought === 1 ? "picture" : `${sought} pictures`}.`,
  "agree-in-part": (agreeing, sought) =>
    `This update leaks in part: the searches found the same picture of ${agreeing} of ${sought} images.`,
  "fit-but-disagree": () => "The update can be explained, but not which images are behind it.",
  "fit-unconfirmed": () => "Something that explains this update was found, and nothing confirms it.",
  "no-fit": () => "No meaningful leakage shown under these assumptions.",
};

const MEANINGS: Readonly<Record<Outcome, string>> = {
  exact: "A closed form solved for the images, and their gradient is the captured update: that is a proof, no guess.",
  "agree-and-fit":
    "Agree and fit: searches that began apart came to the same pictures, and these explain the update. Take what they show for the client’s; what all of them lack, detail or colour, does not show here.",
  "agree-in-part":
    "Agree in part and fit: take what the pictures that agree show for the client’s, and the others for guesses.",
  "fit-but-disagree":
    "Fit but disagree: the searches explain the update, each by other pictures. Under these assumptions no image is shown to leak; which one is real is open.",
  "fit-unconfirmed": "Fit, not confirmed: fewer than two searches explain the update, so there is nothing to compare.",
  "no-fit":
    "Do not fit: what was found explains the update hardly better than chance and labels do: the same search on an update of nobody, or pictures of strangers. That holds for this attack and this budget.",
};

/** `, pictures of strangers 0.0123` */
export function strangersText({ strangersResidual }: NonNullable<AuditRecord["confidence"]>): string {
  return strangersResidual === null ? "" : `, pictures of strangers ${compactText(strangersResidual)}`;
}

/** What can be said at a terminal and in the report of how far the seeds agree. */
function agreementSentence(agreement: NonNullable<AuditRecord["confidence"]>["agreement"]): string {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [between, floor] = [mean(agreement.map(({ meanDb }) => meanDb)), mean(agreement.map(({ floorDb }) => floorDb))];
  const count = agreement.filter(({ agrees }) => agrees).length;
  return `The searches' pictures are ${dbText(between)} from each other, ${signedDbText(between - floor)} to what means nothing; ${count} of ${plural(agreement.length, "image")} agree${count === 1 ? "s" : ""}.`;
}

function scoreSentences({ scores, notScored }: AuditRecord): string[] {
  if (notScored) return [`Not scored: ${notScored}.`];
  if (!scores) return ["Nobody gave the private images, so this was not scored."];
  const { psnrDb, leakage } = scores;
  return [
    `Held against the private images, one-to-one: ${dbText(psnrDb.oneToOne)}, ${dbText(Math.abs(leakage.oneToOne.aboveFloorDb))} ` +
      `${leakage.oneToOne.aboveFloorDb < 0 ? "below" : "above"} the highest floor.`,
  ];
}

function unjudged({ status, failure, rows, plan }: AuditRecord): Verdict {
  const done = `${searchesText(rows.length)} of ${plan.attack} ended.`;
  if (status === "failed") return { headline: "The audit failed.", sentences: [`Reason: ${failure}`, done] };
  const sentences = [
    done,
    ...(status === "interrupted" ? ["Continue it with: fedleak resume, followed by its folder."] : []),
  ];
  return { headline: status === "running" ? "The audit is still going." : "The audit was interrupted.", sentences };
}
