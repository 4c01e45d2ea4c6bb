import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";
import { numbers, sameShape, shapeText, type Tensor, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { type Device, loadProvider } from "./devices.ts";
import type { Executable } from "./executable.ts";

/** A compiled graph. */
export interface Program {
  readonly inputNames: readonly string[];
  /** Computes all outputs from a tensor an input. Feeds and results are not shared with later calls. */
  run(feeds: Tensors): Promise<Tensors<"float32">>;
  /**
   * Runs in a row, at least one: each is fed `feeds` and a member of `own`, and in place of inputs that `back` names the outputs that it
   * names them by, from the run before. The first run in which an output that `finite` names is not finite is the last.
   */
  repeat(
    feeds: Tensors,
    own: readonly Tensors[],
    back: Readonly<Record<string, string>>,
    finite?: readonly string[],
  ): Promise<Repeated>;
  /** Frees the memory; the program cannot run afterwards. */
  release(): Promise<void>;
}

/** What runs that feed each other come to. */
export interface Repeated {
  /** Of each run, what is not fed back. */
  readonly each: readonly Tensors<"float32">[];
  /** What is fed back, from the last run, by output. */
  readonly last: Tensors<"float32">;
}

export interface SessionOptions {
  readonly device: Device;
  readonly threads: number;
  /** Where onnxruntime writes its trace of a run, if one is wanted: a path without extension. */
  readonly profile?: string;
}

/** How an assembled program is opened: `openSession`, or in other threads (`programThreads`). */
export type OpenProgram = (model: Executable, options: SessionOptions) => Promise<Program>;

/** Starts an onnxruntime session. */
export async function openSession(model: Executable, options: SessionOptions): Promise<Program & { end(): void }> {
  const { inputs, outputs } = model; // not `model` itself: the closures below must not keep its bytes
  const { ort, executionProviders } = await loadProvider(options.device, model.cpuOnly);
  const session: InferenceSession = await ort.InferenceSession.create(model.bytes, {
    executionProviders,
    externalData: model.external,
    graphOptimizationLevel: model.large ? "disabled" : "all",
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    enableMemPattern: false, // 40 % less peak memory for 5 % of speed (measured on ResNet10)
    logSeverityLevel: 3,
    ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
  });
  const run = async (feeds: Tensors) => {
    const given = Object.fromEntries(
      inputs.map(({ name, shape, kind }): [string, OrtTensor] => {
        const feed = feeds[name];
        if (!feed || !sameShape(feed.shape, shape)) {
          fail({
            who: "program",
            must: `input "${name}" must be ${kind}${shapeText(shape)}`,
            got: feed ? `${feed.dtype}${shapeText(feed.shape)}` : "nothing",
            remedy: "Feed a tensor of that shape under that name.",
          });
        }
        return [name, ortTensor(feed, kind, ort.Tensor)];
      }),
    );
    const results = await session.run(given);
    return Object.fromEntries(
      outputs.map(({ name, shape }) => [name, { dtype: "float32" as const, shape, data: floats(results[name]!.data) }]),
    );
  };
  return {
    inputNames: inputs.map(({ name }) => name),
    run,
    repeat: (...runs) => repeated(run, ...runs),
    release: () => session.release(),
    end: () => session.endProfiling(),
  };
}

/** `repeat`, by single runs. */
export async function repeated(
  run: Program["run"],
  ...[feeds, own, back, finite = []]: Parameters<Program["repeat"]>
): Promise<Repeated> {
  const each: Tensors<"float32">[] = [];
  let last: Tensors<"float32"> = {};
  for (const more of own) {
    const fedBack = Object.fromEntries(Object.entries(last).map(([output, tensor]) => [back[output]!, tensor]));
    const results = await run({ ...feeds, ...fedBack, ...more });
    const entries = Object.entries(results);
    each.push(Object.fromEntries(entries.filter(([output]) => !(output in back))));
    last = Object.fromEntries(entries.filter(([output]) => output in back));
    if (!finite.every((name) => results[name]!.data.every(Number.isFinite))) break;
  }
  return { each, last };
}

function ortTensor(feed: Tensor, kind: "float" | "int" | "bool", Make: typeof OrtTensor): OrtTensor {
  if (kind === "float") {
    const data = feed.data instanceof Float32Array ? owned(feed.data) : new Float32Array(numbers(feed));
    return new Make("float32", data, feed.shape);
  }
  if (kind === "bool") return new Make("bool", Uint8Array.from(numbers(feed)), feed.shape);
  const data = feed.data instanceof BigInt64Array ? feed.data : BigInt64Array.from(Array.from(numbers(feed), BigInt));
  return new Make("int64", data, feed.shape);
}

/** onnxruntime takes no memory that threads share. */
function owned(data: Float32Array): Float32Array {
  return data.buffer instanceof ArrayBuffer ? data : data.slice();
}

/** Results of int and bool outputs come back as floats: whole numbers, 0 and 1. */
function floats(data: OrtTensor["data"]): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number | bigint>, Number);
}
