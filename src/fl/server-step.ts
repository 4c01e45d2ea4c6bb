import { input, type Node } from "../graph/index.ts";
import { inputsFor, type Model } from "../nn/index.ts";
import { descend, globalNorm, scalarInputs, type Transform } from "../optim/index.ts";
import { type Compile, compile, type Device } from "../runtime/index.ts";
import { float32, scalarOf, type Tensors } from "../tensor/index.ts";
import { prefixed, withPrefix } from "./prefix.ts";
import type { TrainingState } from "./training-step.ts";

export interface ServerPlan {
  readonly model: Model;
  readonly optimiser: Transform;
  readonly device?: Device;
  readonly threads?: number;
  /** How the step is compiled; a cache's `compile` lets clients share the program. */
  readonly compile?: Compile;
}

export interface ServerProgram {
  /** The state after a step along `gradient`; buffers stay as they are. `finite` is false when the state is of no use. */
  advance(
    state: TrainingState,
    gradient: Tensors<"float32">,
    learningRate: number,
  ): Promise<{ readonly state: TrainingState; readonly finite: boolean }>;
  release(): Promise<void>;
}

/**
 * The server's step of FedSGD as a program: w ← w − learningRate · transform(the clients' mean gradient).
 *
 * A client whose gradient is computed apart, under a defence for one, takes its local steps by it too.
 */
export async function serverStep(plan: ServerPlan): Promise<ServerProgram> {
  const { model, optimiser, device = "cpu", threads = 0 } = plan;
  const program = await (plan.compile ?? compile)(serverGraph(model, optimiser), { device, threads });
  return {
    advance: async (state, gradient, learningRate) => {
      const scalars = Object.entries(optimiser.scalars(state.steps + 1));
      const made = await program.run({
        [RATE]: float32([], [learningRate]),
        ...prefixed(PARAM, state.weights.params),
        ...prefixed(GRADIENT, gradient),
        ...prefixed(MEMORY, state.memory),
        ...Object.fromEntries(scalars.map(([name, value]) => [name, float32([], [value])])),
      });
      const weights = { params: withPrefix(NEXT + PARAM, made), buffers: state.weights.buffers };
      return {
        state: { weights, memory: withPrefix(NEXT + MEMORY, made), steps: state.steps + 1 },
        finite: Number.isFinite(scalarOf(made[NORM]!)),
      };
    },
    release: () => program.release(),
  };
}

const [RATE, PARAM, GRADIENT, MEMORY] = ["learning-rate", "param.", "gradient.", "memory."] as const;
const [NORM, NEXT] = ["norm", "next."] as const;

function serverGraph(model: Model, optimiser: Transform): Record<string, Node> {
  const slots = optimiser.slots.flatMap((slot) =>
    model.params.map(({ name, shape }) => ({ name: `${slot}.${name}`, shape })),
  );
  const after = descend({
    transform: optimiser,
    variables: inputsFor(model.params, PARAM),
    gradients: inputsFor(model.params, GRADIENT),
    state: inputsFor(slots, MEMORY),
    scalars: scalarInputs(optimiser),
    learningRate: input(RATE, []),
  });
  const renamed = (prefix: string, nodes: Readonly<Record<string, Node>>) =>
    Object.fromEntries(Object.entries(nodes).map(([name, node]) => [prefix + name, node]));
  return {
    [NORM]: globalNorm(after.variables),
    ...renamed(NEXT + PARAM, after.variables),
    ...renamed(NEXT + MEMORY, after.state),
  };
}
