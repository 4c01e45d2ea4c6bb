import type { Tensors } from "../../tensor/index.ts";
import type { UpdateManifest } from "./manifest.ts";

/** The mean gradient that an update stands for, and how well it is known. */
export interface GradientEstimate {
  /** By parameter name. */
  readonly update: Tensors<"float32">;
  /** Of the gradient's norm, the share that may be rounding of weights: ‖2⁻²⁴·w‖ / ‖w_after − w_before‖ at most; 0 for gradients. */
  readonly rounding: number;
  /** Whether its size is known too, not only its direction. */
  readonly scaled: boolean;
  /** What was assumed, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * The averaged gradient ĝ of S local steps of SGD: a gradient as it is; else from weights before and after.
 *
 * With Δ = w_S − w_0, learning rate η, momentum μ and weight decay λ: −Δ/(η·c) − λ·(w_0 + w_S)/2 where
 * c = Σ_{j=1…S} (1 − μ^j)/(1 − μ), which is S without momentum. Exact for S = 1 (there λ·w_0 is taken off); for S > 1 the mean
 * over the steps, each at its own weights. Without a learning rate η = 1 is taken and the estimate is known up to a factor.
 * Adam's steps are not its gradients: then ĝ is only of their direction, roughly. Source: METHODS; μ, λ follow from
 * torch.optim.SGD.
 */
export function gradientOf(
  manifest: UpdateManifest,
  before: Tensors<"float32">,
  sent: Tensors<"float32">,
): GradientEstimate {
  const { localSteps, learningRate, optimiser } = manifest;
  if (manifest.sent === "gradient") return { update: sent, rounding: 0, scaled: true, notes: [] };
  const { momentum, weightDecay, name } = optimiser;
  const divisor = (learningRate ?? 1) * effectiveSteps(localSteps, momentum);
  const decay = name === "sgd" ? weightDecay : 0;
  let [changed, rounded] = [0, 0];
  const update = Object.fromEntries(
    Object.entries(sent).map(([key, t]) => {
      const w = before[key]!.data;
      const data = t.data.map((value, i) => {
        const delta = manifest.sent === "delta" ? value : value - w[i]!;
        changed += delta * delta;
        rounded += (w[i]! * ROUNDING) ** 2;
        const at = localSteps === 1 ? w[i]! : w[i]! + delta / 2;
        return -delta / divisor - decay * at;
      });
      return [key, { ...t, data }];
    }),
  );
  const rounding = changed === 0 ? 1 : Math.min(1, Math.sqrt(rounded / changed));
  return { update, rounding, scaled: learningRate !== null && name === "sgd", notes: notesOf(manifest) };
}

const ROUNDING = 2 ** -24; // of a float32, relative, at most

function effectiveSteps(steps: number, momentum: number): number {
  let total = 0;
  for (let j = 1; j <= steps; j++) total += (1 - momentum ** j) / (1 - momentum);
  return total;
}

function notesOf({ sent, localSteps, learningRate, optimiser }: UpdateManifest): string[] {
  const { name, momentum, weightDecay, clip } = optimiser;
  const rate = learningRate ?? "an unknown rate, so its size is not known";
  return [
    `the gradient is estimated from ${sent === "delta" ? "the change of the weights" : "weights before and after"}, over ${localSteps} × ${rate}`,
    ...(localSteps > 1 ? [`it is the mean of ${localSteps} gradients, each at weights of its own`] : []),
    ...(momentum > 0 && localSteps > 1 ? [`momentum ${momentum} is allowed for by a factor`] : []),
    ...(weightDecay > 0 && name === "sgd" ? [`weight decay ${weightDecay} is taken off`] : []),
    ...(clip === null ? [] : ["gradients were clipped, so its size may be that of the limit"]),
    ...(name === "sgd"
      ? []
      : [`${name} does not step along the gradient: the estimate has hardly more than its signs`]),
  ];
}
