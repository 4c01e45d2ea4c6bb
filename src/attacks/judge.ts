import { scalarOf, type Tensor, type Tensors } from "../tensor/index.ts";
import type { AttackState, StepResult } from "./run.ts";
import { NEXT } from "./step.ts";

/**
 * What a run of the step program amounts to: the next state, or, when a number is not finite, a failure that keeps the
 * state it came from.
 *
 * Loss, gradient norm and every tensor of the next state must be finite. variables: the names of what is optimised.
 */
export function judge(
  state: AttackState,
  results: Tensors<"float32">,
  { evaluations, variables }: { readonly evaluations: number; readonly variables: readonly string[] },
): StepResult {
  const of = (name: string) => scalarOf(results[name]!);
  const measured = { loss: of("loss"), cosine: of("cosine"), gradientNorm: of("gradientNorm") };
  const tensors = Object.fromEntries(
    Object.entries(state.tensors).map(([name, before]) => [name, results[NEXT + name] ?? before]),
  );
  const broken = Object.keys(tensors).find((name) => results[NEXT + name] && !allFinite(tensors[name]!)); // others stay
  if (Number.isFinite(measured.loss) && Number.isFinite(measured.gradientNorm) && broken === undefined) {
    const next = { iteration: state.iteration + 1, evaluations: state.evaluations + evaluations, tensors };
    return { state: next, ...measured };
  }
  const where =
    broken === undefined
      ? ""
      : `, NaN or infinity in the ${variables.includes(broken) ? "variable" : "memory"} ${broken}`;
  const message =
    `attack: loss, gradient and state must stay finite; got loss ${measured.loss}, gradient norm ` +
    `${measured.gradientNorm}${where} in iteration ${state.iteration}. Lower learningRate, or check the observed update.`;
  return { state, ...measured, failure: { kind: "not-finite", iteration: state.iteration, message } };
}

/** Whether all elements are finite: float32 sums in float64 cannot overflow, so the sum is finite exactly then. */
function allFinite({ data }: Tensor<"float32">): boolean {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]!;
  return Number.isFinite(sum);
}
