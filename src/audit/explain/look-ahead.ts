import type { AttackRun, AttackSettings, AttackState, Probe } from "../../attacks/index.ts";
import { float32, type Tensor } from "../../tensor/index.ts";

/**
 * The gradient by the images that gradient regularisation descends: (1−γ)·D(x′) + γ·D(x̃).
 *
 * x̃ is x′ + ε·D/‖D‖ for lookahead "uphill", and for "descent" where one step without look-ahead leads; labels stay as they
 * are. plain: the same attack with γ = 0 and no noise in its steps; here: its probe at `state`. undefined when γ is 0, when the trial step fails, or when
 * the look-ahead is uphill in something other than pixels.
 * Source: FedLeak, Equations 12 and 13. Differs: unsigned, and by the images whatever is optimised.
 */
export async function blendedGradient(
  plain: Pick<AttackRun, "step" | "probe">,
  state: AttackState,
  here: Probe,
  settings: Pick<AttackSettings, "gamma" | "lookahead" | "lookaheadStep">,
): Promise<Tensor<"float32"> | undefined> {
  const { gamma } = settings;
  if (gamma === 0) return undefined;
  const ahead = settings.lookahead === "uphill" ? uphill(state, here, settings) : await descended(plain, state);
  if (ahead === undefined) return undefined;
  const { gradient } = await plain.probe(ahead);
  return float32(
    gradient.shape,
    here.gradient.data.map((d, i) => (1 - gamma) * d + gamma * gradient.data[i]!),
  );
}

// What a trial step must not move: label logits, and the losses by which one of several candidates is the best.
const STAYS = /(^|\.)(labels|loss)$/;

async function descended(plain: Pick<AttackRun, "step">, state: AttackState): Promise<AttackState | undefined> {
  const trial = await plain.step(state);
  if (trial.failure) return undefined;
  const kept = Object.entries(state.tensors).filter(([name]) => STAYS.test(name));
  return { ...trial.state, tensors: { ...trial.state.tensors, ...Object.fromEntries(kept) } };
}

/** Moves the tensor of the state that is the images, if there is one. */
function uphill(
  state: AttackState,
  { images, gradient }: Probe,
  { lookaheadStep }: Pick<AttackSettings, "lookaheadStep">,
): AttackState | undefined {
  const place = Object.entries(state.tensors).find(
    ([, t]) => t.data.length === images.data.length && t.data.every((v, i) => v === images.data[i]),
  );
  const norm = Math.sqrt(gradient.data.reduce((sum, d) => sum + d * d, 0));
  if (place === undefined || norm === 0) return undefined;
  const moved = images.data.map((v, i) => v + (lookaheadStep * gradient.data[i]!) / norm);
  return { ...state, tensors: { ...state.tensors, [place[0]]: float32(images.shape, moved) } };
}
