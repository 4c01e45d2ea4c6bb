import type { Images } from "../../../metrics/index.ts";
import { isProven } from "../../proof.ts";
import { agreementOf } from "./agreement.ts";
import type { AuditRow, Confidence } from "./record.ts";

/** A row with the images it stands for. */
export interface Found {
  readonly row: AuditRow;
  readonly images: Images;
}

export const FITS = 0.5; // of what the control and strangers leave; our choice: no better than that may be the labels' part alone
const NEAR = 0.01; // residual of a closed form's images that explain the update as a whole; our choice

/**
 * What may be believed of reconstructions without knowing the truth; undefined when no row has an end.
 *
 * Fit: a row's residual is at most half of the control's, which tells what chance explains, and half of what pictures of
 * strangers leave (`strangersResidual`), which tells what the labels explain. Agreement: the rows
 * that fit have found the same images (`agreementOf`), in part at most where fewer than half of the searches fit. Without a finite
 * control and strangers nothing is told beyond "fit, not confirmed": there is no measure of what chance explains. One who fits without agreement has found an image that explains the
 * update, and not that it is the client's.
 */
export function confidenceOf(
  found: readonly Found[],
  control: Found | undefined,
  strangers: number | null,
  imagesSought: number,
): Confidence | undefined {
  const ended = found.filter(({ row }) => row.residual !== null).sort((a, b) => a.row.residual! - b.row.residual!);
  const [best] = ended;
  if (!best) return undefined;
  const residual = best.row.residual!;
  const about = { best: best.row.name, residual };
  if (best.row.name === CLOSED_FORM) {
    const outcome = closedFormOutcome(residual, best.row.proof);
    const fitting = outcome === "no-fit" ? [] : [best.row.name];
    return { ...about, outcome, controlResidual: null, strangersResidual: null, fitting, agreement: [] };
  }
  const controlResidual = control?.row.residual ?? null;
  const measured = controlResidual !== null && strangers !== null;
  const limit = FITS * Math.min(controlResidual ?? 1, strangers ?? 1); // 1: not known; then nothing is confirmed below
  const fitting = ended.filter(({ row }) => row.residual! <= limit);
  const same = fitting.filter(({ images }) => images.shape[0] === imagesSought);
  const agreement =
    same.length < 2
      ? []
      : agreementOf(
          same.map(({ images }) => images),
          control?.row.residual === null ? undefined : control?.images,
        );
  return {
    ...about,
    outcome: measured ? outcomeOf(fitting.length, found.length, agreement) : unmeasuredOutcome(fitting.length),
    controlResidual,
    strangersResidual: strangers,
    fitting: fitting.map(({ row }) => row.name),
    agreement,
  };
}

export const CLOSED_FORM = "closed-form";

/** Exact is what is proven in every tensor, whatever the residual over all parameters, which is mostly the head's. */
function closedFormOutcome(residual: number, proof: AuditRow["proof"]): Confidence["outcome"] {
  if (proof && isProven(proof)) return "exact";
  return residual > NEAR ? "no-fit" : "fit-unconfirmed";
}

const unmeasuredOutcome = (fitting: number) => (fitting === 0 ? "no-fit" : "fit-unconfirmed");

function outcomeOf(fitting: number, searches: number, agreement: Confidence["agreement"]): Confidence["outcome"] {
  if (fitting === 0) return "no-fit";
  if (agreement.length === 0) return "fit-unconfirmed";
  const agreeing = agreement.filter(({ agrees }) => agrees).length;
  if (agreeing === 0) return "fit-but-disagree";
  return agreeing === agreement.length && 2 * fitting >= searches ? "agree-and-fit" : "agree-in-part";
}
