import { constant, grad, softmax } from "../../graph/index.ts";
import { type LBfgsState, lBfgsStep } from "../../optim/index.ts";
import { compile } from "../../runtime/index.ts";
import { float32, type Shape, scalarOf, type Tensors } from "../../tensor/index.ts";
import { notFinite } from "./judge.ts";
import { LABELS } from "./step-graph.ts";
import type { Search, SearchPoint, Surroundings } from "./types.ts";
import { joined, parted } from "./vector.ts";
import { type Candidate, centreFeed, holds, inputNodes, shapesOf, viewOf } from "./view.ts";

// What the state remembers beside the variables: loss and slope there, and the pairs of steps, oldest first.
const MEMORY = "l-bfgs.";
const [LOSS, COSINE, GRADIENT, STEPS, CHANGES] = [
  `${MEMORY}loss`,
  `${MEMORY}cosine`,
  `${MEMORY}gradient`,
  `${MEMORY}s`,
  `${MEMORY}y`,
] as const;

const SLOPE = "slope."; // outputs: this and the variable's name
const MOST_EVALUATIONS = 25; // of one line search, as PyTorch's

/**
 * Limited-memory BFGS: the graph gives loss and slope, the host chooses the direction and searches along it.
 *
 * Variables and label logits are one vector. An iteration is one step with its line search, so its evaluations differ.
 * Projection, signs, look-ahead, noise and schedule have no place in it.
 */
export async function lBfgs(candidate: Candidate): Promise<Search> {
  const { parameterisation, objective, labels, settings, options } = candidate;
  const { learningRate, history } = settings;
  const shapes: Readonly<Record<string, Shape>> = {
    ...parameterisation.variables,
    ...("logits" in labels && { [LABELS]: labels.logits.shape }),
  };
  const names = Object.keys(shapes);
  const places = inputNodes(shapes);
  const memory = inputNodes({ ...parameterisation.buffers, ...parameterisation.fixed });
  const { images } = parameterisation.decode({ ...places, ...memory });
  const { loss, cosine } = objective(images, "fixed" in labels ? constant(labels.fixed) : softmax(places[LABELS]!));
  const slopes = grad(
    loss,
    names.map((name) => places[name]!),
  );
  const outputs = { loss, cosine, ...Object.fromEntries(names.map((name, i) => [SLOPE + name, slopes[i]!])) };
  const program = await compile(outputs, options);
  const view = viewOf(candidate);

  return {
    ...view,
    initial: (key) => ({ ...parameterisation.initial(key), ...("logits" in labels && { [LABELS]: labels.logits }) }),
    fits: ({ tensors }) => holds(tensors, shapesOf(candidate), (name) => name.startsWith(MEMORY)),
    step: async (at, around) => {
      let evaluations = 0;
      const cosines = new Map<number, number>(); // by loss, so that the accepted point's is found again
      const evaluate = async (x: Float64Array) => {
        const variables = parted(Float32Array.from(x), shapes);
        const out = await program.run({ ...at.tensors, ...variables, ...centreFeed(settings, around) });
        evaluations += 1;
        cosines.set(scalarOf(out.loss!), scalarOf(out.cosine!));
        return { loss: scalarOf(out.loss!), gradient: vectorOf(slopesIn(out, names), shapes) };
      };
      const from = remembered(at, shapes) ?? (await fresh(at, shapes, evaluate));
      const cosine = at.tensors[COSINE] ? scalarOf(at.tensors[COSINE]) : cosines.get(from.loss)!;
      const measured = { loss: from.loss, cosine, gradientNorm: norm(from.gradient) };
      if (!Number.isFinite(measured.gradientNorm) || !Number.isFinite(from.loss)) {
        return { tensors: at.tensors, evaluations, ...measured, failure: notFinite(at.iteration, measured) };
      }
      const mostEvaluations = Math.min(MOST_EVALUATIONS, around.left - evaluations);
      const step = await lBfgsStep(from, evaluate, { learningRate, history, mostEvaluations });
      const stuck = !step.moved && from.steps.length === 0;
      const tensors = {
        ...withoutMemory(at.tensors),
        ...parted(Float32Array.from(step.state.x), shapes),
        ...memorised(step.state),
        [COSINE]: float32([], [cosines.get(step.state.loss) ?? cosine]),
      };
      return { ...measured, score: step.state.loss, tensors, evaluations, ...(stuck && { settled: true }) };
    },
    program: ({ tensors }: SearchPoint, around: Surroundings) => ({
      outputs,
      options,
      feeds: { ...withoutMemory(tensors), ...centreFeed(settings, around) },
    }),
    release: async () => {
      await Promise.all([program.release(), view.release()]);
    },
  };
}

async function fresh(
  { tensors }: SearchPoint,
  shapes: Readonly<Record<string, Shape>>,
  evaluate: (x: Float64Array) => Promise<{ loss: number; gradient: Float64Array }>,
): Promise<LBfgsState> {
  const x = vectorOf(tensors, shapes);
  return { x, ...(await evaluate(x)), steps: [] };
}

/** The search's memory as the state's tensors hold it; undefined at the first point. */
function remembered({ tensors }: SearchPoint, shapes: Readonly<Record<string, Shape>>): LBfgsState | undefined {
  const loss = tensors[LOSS];
  if (!loss) return undefined;
  const gradient = Float64Array.from(tensors[GRADIENT]!.data);
  const n = gradient.length;
  const row = (name: string, i: number) => Float64Array.from(tensors[name]!.data.subarray(i * n, (i + 1) * n));
  const count = tensors[STEPS]?.shape[0] ?? 0;
  const steps = Array.from({ length: count }, (_, i) => ({ s: row(STEPS, i), y: row(CHANGES, i) }));
  return { x: vectorOf(tensors, shapes), loss: scalarOf(loss), gradient, steps };
}

function memorised({ loss, gradient, steps }: LBfgsState): Tensors<"float32"> {
  const n = gradient.length;
  const rows = (pick: "s" | "y") => {
    const data = new Float32Array(steps.length * n);
    steps.forEach((step, i) => {
      data.set(step[pick], i * n);
    });
    return float32([steps.length, n], data);
  };
  return {
    [LOSS]: float32([], [loss]),
    [GRADIENT]: float32([n], gradient),
    ...(steps.length > 0 && { [STEPS]: rows("s"), [CHANGES]: rows("y") }),
  };
}

function withoutMemory(tensors: Tensors<"float32">): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => !name.startsWith(MEMORY)));
}

function slopesIn(results: Tensors<"float32">, names: readonly string[]): Tensors<"float32"> {
  return Object.fromEntries(names.map((name) => [name, results[SLOPE + name]!]));
}

function vectorOf(
  tensors: Readonly<Partial<Tensors<"float32">>>,
  shapes: Readonly<Record<string, Shape>>,
): Float64Array {
  return Float64Array.from(joined(tensors, shapes).data);
}

function norm(v: Float64Array): number {
  return Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
}
