import { constant, grad, input, softmax, stopGradient } from "../../graph/index.ts";
import type { Nodes } from "../../optim/index.ts";
import { type CompileOptions, compile, type Program } from "../../runtime/index.ts";
import { float32, type Shape, sameShape, scalarOf, type Tensors } from "../../tensor/index.ts";
import { CENTRE, type Objective } from "../objective/objective.ts";
import type { Parameterisation } from "../parameterisation/index.ts";
import type { AttackSettings } from "../settings.ts";
import { LABELS, type LabelValues } from "./step-graph.ts";
import type { Search, Surroundings } from "./types.ts";

/** What is looked for, and by what measure: all that a kind of search needs to be built. */
export interface Candidate {
  readonly parameterisation: Parameterisation;
  readonly objective: Objective;
  readonly labels: LabelValues;
  readonly settings: AttackSettings;
  /** With the known weights and the observed update baked in. */
  readonly options: CompileOptions;
}

/** How the points of any search over a candidate are looked at; its programs are compiled when first asked for. */
export function viewOf(
  candidate: Candidate,
): Pick<Search, "images" | "labelLogits" | "probe"> & { release(): Promise<void> } {
  const { parameterisation, objective, labels, settings, options } = candidate;
  const places = inputNodes(shapesOf(candidate));
  const probabilities = "fixed" in labels ? constant(labels.fixed) : softmax(places[LABELS]!);
  const decoder = lazily(() => compile({ images: parameterisation.decode(places).images }, options));
  const prober = lazily(() => {
    const images = stopGradient(parameterisation.decode(places).images);
    const { loss, cosine } = objective(images, probabilities);
    return compile({ images, gradient: grad(loss, [images])[0]!, loss, cosine }, options);
  });
  return {
    images: async ({ tensors }) => {
      const { imagesIn } = parameterisation; // the variable itself, when pixels are optimised
      return imagesIn ? tensors[imagesIn]! : (await (await decoder.get()).run(tensors)).images!;
    },
    labelLogits: ({ tensors }) => tensors[LABELS],
    probe: async ({ tensors }, around) => {
      const program = await prober.get();
      const { images, gradient, loss, cosine } = await program.run({ ...tensors, ...centreFeed(settings, around) });
      return { images: images!, gradient: gradient!, loss: scalarOf(loss!), cosine: scalarOf(cosine!) };
    },
    release: async () => {
      await Promise.all([decoder.release(), prober.release()]);
    },
  };
}

/** The mean of all candidates' images, for an objective that asks for it. */
export function centreFeed(
  { groupConsistency }: Pick<AttackSettings, "groupConsistency">,
  { centre }: Surroundings,
): Tensors<"float32"> {
  return groupConsistency > 0 && centre ? { [CENTRE]: centre } : {};
}

/** Whether tensors are exactly those of `shapes`, and, beyond them, only such as `more` names. */
export function holds(
  tensors: Tensors<"float32">,
  shapes: Readonly<Record<string, Shape>>,
  more: (name: string) => boolean = () => false,
): boolean {
  return (
    Object.entries(shapes).every(([name, shape]) => tensors[name] && sameShape(tensors[name].shape, shape)) &&
    Object.keys(tensors).every((name) => Object.hasOwn(shapes, name) || more(name))
  );
}

/** The shapes of all tensors that a parameterisation and, where they are optimised, the labels have. */
export function shapesOf({ parameterisation, labels }: Pick<Candidate, "parameterisation" | "labels">) {
  return {
    ...parameterisation.variables,
    ...parameterisation.buffers,
    ...parameterisation.fixed,
    ...("logits" in labels && { [LABELS]: labels.logits.shape }),
  };
}

/** Numbers by name as scalar tensors, to be fed. */
export function asTensors(numbers: Readonly<Record<string, number>>): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, float32([], [value])]));
}

/** An input node for each name and shape. */
export function inputNodes(shapes: Readonly<Record<string, Shape>>): Nodes {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, input(name, shape)]));
}

/** A program that is compiled when first asked for, and released if it ever was. */
function lazily(make: () => Promise<Program>): { get(): Promise<Program>; release(): Promise<void> } {
  let made: Promise<Program> | undefined;
  return {
    get: () => {
      made ??= make();
      return made;
    },
    release: async () => (await made)?.release(),
  };
}
