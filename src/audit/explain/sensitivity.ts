import { oneHot } from "../../fl/index.ts";
import { abs, add, constant, crossEntropy, dot, grad, input, type Node, sum } from "../../graph/index.ts";
import { inputsFor, type Mode, type Model } from "../../nn/index.ts";
import { type CompileOptions, compile, parseDevice } from "../../runtime/index.ts";
import { float32, scalarOf, sizeOf, type Tensor, type Tensors } from "../../tensor/index.ts";
import { type Key, key as seedKey, split, uniform } from "../../util/index.ts";
import { pearson, pearsonInterval95, spearman } from "./correlation.ts";
import type { SensitivityPart, SensitivityScope } from "./schema.ts";
import type { Outcome, Task } from "./task.ts";

/**
 * Whether large gradient entries are the ones that answer to the images: |g_i| against Σ|∂g_i/∂x| over all pixels.
 *
 * g is the client's gradient of its batch, before any defence; scopes: the last linear layer, as in the paper, and all
 * parameters, which partial matching ranks. Where there are more entries than `options.entries`, that many are drawn without
 * replacement from the seed.
 * Source: FedLeak, Appendix C and Figure 9: the final linear layer of ResNet10, 100 samples of CIFAR-10, Pearson 0.74.
 * Differs: the paper does not say whether its 100 samples make one gradient or 100; here they are one, the client's batch.
 */
export async function measureSensitivity(task: Task): Promise<Outcome & Pick<SensitivityPart, "scopes">> {
  const { model, weights, truth, spec } = task.trial;
  const batch = { model, weights, images: truth.images, labels: truth.labels, mode: spec.client.batchNorm };
  const options = { device: parseDevice(spec.device), threads: spec.threads };
  const layers = { "last-layer": headOf(model), "all-layers": model.params.map(({ name }) => name) };
  const scopes: SensitivityScope[] = [];
  const counts = Object.values(layers).map((names) => Math.min(task.options.entries, entriesOf(model, names)));
  const total = counts.reduce((a, b) => a + b, 0);
  for (const [name, names] of Object.entries(layers) as [SensitivityScope["name"], string[]][]) {
    if (task.stopped()) break;
    task.stage(`compiling the derivative of gradient entries, ${name.replace("-", " ")}`);
    const before = scopes.reduce((n, scope) => n + scope.sampled, 0);
    const key = split(split(seedKey(spec.seed), "explain-sensitivity"), name);
    const measured = await sensitivitiesOf({ ...batch, ...options, names, entries: task.options.entries, key }, (n) => {
      task.tick(before + n, total);
      return !task.stopped();
    });
    scopes.push({ name, ...measured });
  }
  const reached = scopes.reduce((n, scope) => n + scope.sampled, 0);
  return { status: reached < total ? "interrupted" : "finished", scopes };
}

export interface SensitivityPlan {
  readonly model: Model;
  readonly weights: { readonly params: Tensors<"float32">; readonly buffers: Tensors<"float32"> };
  /** [B,C,H,W] */
  readonly images: Tensor<"float32">;
  readonly labels: readonly number[];
  readonly mode: Mode;
  /** The parameters whose gradient entries are looked at. */
  readonly names: readonly string[];
  /** How many entries at most. */
  readonly entries: number;
  readonly key: Key;
  readonly device: NonNullable<CompileOptions["device"]>;
  readonly threads: number;
}

/** Measures entry by entry until `onEntry` returns false. */
export async function sensitivitiesOf(
  plan: SensitivityPlan,
  onEntry: (measured: number) => boolean,
): Promise<Omit<SensitivityScope, "name">> {
  const { model, weights, images, names, key } = plan;
  const shapes = names.map((name) => model.params.find((spec) => spec.name === name)!);
  const entries = entriesOf(model, names);
  const drawn = drawEntries(entries, plan.entries, split(key, "entries"));
  const graph = entryGraph(plan);
  const bake = { ...prefixed(PARAM, weights.params), ...prefixed(BUFFER, weights.buffers), [IMAGES]: images };
  const program = await compile(graph, { bake, device: plan.device, threads: plan.threads });
  const none = Object.fromEntries(
    shapes.map(({ name, shape }) => [name, float32(shape, new Float32Array(sizeOf(shape)))]),
  );
  const [magnitudes, sensitivities]: [number[], number[]] = [[], []];
  try {
    for (const index of drawn) {
      const results = await program.run(prefixed(CHOSEN, withOne(none, index)));
      magnitudes.push(Math.abs(scalarOf(results.entry!)));
      sensitivities.push(scalarOf(results.sensitivity!));
      if (!onEntry(magnitudes.length)) break;
    }
  } finally {
    await program.release();
  }
  const sampled = magnitudes.length;
  return {
    entries,
    sampled,
    pearson: pearson(magnitudes, sensitivities),
    spearman: spearman(magnitudes, sensitivities),
    pearsonInterval95: sampled < entries ? pearsonInterval95(magnitudes, sensitivities, split(key, "bootstrap")) : null,
    magnitudes,
    sensitivities,
  };
}

const [PARAM, BUFFER, CHOSEN, IMAGES] = ["param.", "buffer.", "chosen.", "images"] as const;

/** entry = Σ chosen·g, which is g_i when `chosen` is 1 at i and 0 elsewhere; sensitivity = Σ|∂entry/∂x|. */
function entryGraph({ model, labels, mode, names, images }: SensitivityPlan): Record<string, Node> {
  const params = inputsFor(model.params, PARAM);
  const x = input(IMAGES, images.shape);
  const { logits } = model.forward({ params, buffers: inputsFor(model.buffers, BUFFER), x, mode });
  const loss = crossEntropy(logits, constant(oneHot(labels, model.classes)));
  const places = names.map((name) => params[name]!);
  const entry = grad(loss, places)
    .map((g, i) => dot(g, input(CHOSEN + names[i]!, places[i]!.shape)))
    .reduce((a, b) => add(a, b));
  return { entry, sensitivity: sum(abs(grad(entry, [x])[0]!)) };
}

/** `count` different numbers of 0 … entries − 1, or all of them where there are no more. */
function drawEntries(entries: number, count: number, key: Key): number[] {
  if (entries <= count) return Array.from({ length: entries }, (_, i) => i);
  const drawn = new Set<number>();
  for (let round = 0; drawn.size < count; round++) {
    for (const u of uniform(split(key, round), count)) if (drawn.size < count) drawn.add(Math.floor(u * entries));
  }
  return [...drawn];
}

/** `none` with a 1 at one entry of all tensors' entries in a row. */
function withOne(none: Tensors<"float32">, index: number): Tensors<"float32"> {
  let rest = index;
  for (const [name, { shape, data }] of Object.entries(none)) {
    if (rest < data.length) {
      const chosen = new Float32Array(data.length);
      chosen[rest] = 1;
      return { ...none, [name]: float32(shape, chosen) };
    }
    rest -= data.length;
  }
  return none;
}

function headOf({ head }: Model): string[] {
  return [head.weight, ...(head.bias === undefined ? [] : [head.bias])];
}

function entriesOf(model: Model, names: readonly string[]): number {
  return model.params.reduce((n, { name, shape }) => n + (names.includes(name) ? sizeOf(shape) : 0), 0);
}

function prefixed(prefix: string, tensors: Tensors<"float32">): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t]));
}
