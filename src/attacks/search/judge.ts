import { scalarOf, type Tensor, type Tensors } from "../../tensor/index.ts";
import { NEXT } from "./step-graph.ts";
import type { SearchPoint, SearchStep } from "./types.ts";

/**
 * What a run of the step program amounts to: the next point's tensors, or, when a number is not finite, a failure that keeps the
 * state it came from.
 *
 * Loss, gradient norm and every tensor of the next state must be finite. variables: the names of what is optimised.
 */
export function judge(
  at: SearchPoint,
  results: Tensors<"float32">,
  { evaluations, variables }: { readonly evaluations: number; readonly variables: readonly string[] },
): SearchStep {
  const of = (name: string) => scalarOf(results[name]!);
  const measured = { loss: of("loss"), cosine: of("cosine"), gradientNorm: of("gradientNorm") };
  const tensors = Object.fromEntries(
    Object.entries(at.tensors).map(([name, before]) => [name, results[NEXT + name] ?? before]),
  );
  const broken = Object.keys(tensors).find((name) => results[NEXT + name] && !allFinite(tensors[name]!)); // others stay
  if (Number.isFinite(measured.loss) && Number.isFinite(measured.gradientNorm) && broken === undefined) {
    return { tensors, evaluations, ...measured };
  }
  const where =
    broken === undefined
      ? ""
      : `, NaN or infinity in the ${variables.includes(broken) ? "variable" : "memory"} ${broken}`;
  return { tensors: at.tensors, evaluations, ...measured, failure: notFinite(at.iteration, measured, where) };
}

/** Why a step has failed, in words. */
export function notFinite(
  iteration: number,
  { loss, gradientNorm }: { readonly loss: number; readonly gradientNorm: number },
  where = "",
): string {
  return (
    `attack: loss, gradient and state must stay finite; got loss ${loss}, gradient norm ` +
    `${gradientNorm}${where} in iteration ${iteration}. Lower learningRate, or check the observed update.`
  );
}

/** Whether all elements are finite: float32 sums in float64 cannot overflow, so the sum is finite exactly then. */
export function allFinite({ data }: Tensor<"float32">): boolean {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]!;
  return Number.isFinite(sum);
}
