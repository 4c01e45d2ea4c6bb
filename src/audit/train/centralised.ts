import { batchOrder, beginTraining, trainingStep } from "../../fl/index.ts";
import { measurer } from "./measure.ts";
import { type Training, trainKey } from "./prepare.ts";
import { stateOf, tensorsOf, weightsOf } from "./state-tensors.ts";
import { optimiserOf, scheduleOf, type TrainingTask } from "./task.ts";

/** Training by one machine that has all images but the public ones: stochastic gradient descent over shuffled epochs. */
export async function centralisedTask(training: Training): Promise<TrainingTask> {
  const { spec, model, device, data, closed, weights } = training;
  const { learningRate } = spec.optimiser;
  const { batchSize, batchNorm: mode, threads } = spec;
  const order = batchOrder({ count: closed.length, batchSize, key: trainKey(spec, "batches") });
  const optimiser = optimiserOf(spec);
  const program = await trainingStep({ model, batchSize, mode, optimiser, device, threads });
  const measured = await measurer(training).catch(async (error: unknown) => {
    await program.release();
    throw error;
  });
  const factor = scheduleOf(spec);
  return {
    unit: "step",
    initial: tensorsOf(beginTraining(model, optimiser, weights)),
    counts: [],
    assumptions: [],
    defences: () => [],
    advance: async (tensors, done) => {
      const batch = await data.take(order(done).map((i) => closed[i]!));
      const rate = learningRate * factor(done);
      const { state, loss, correct, finite } = await program.advance(stateOf(tensors, done), batch, rate);
      return { tensors: tensorsOf(state), loss, trainAccuracy: correct / batchSize, learningRate: rate, finite };
    },
    measure: (tensors, _, most) => measured.open(weightsOf(tensors), most),
    test: (tensors) => measured.test(weightsOf(tensors)),
    weights: weightsOf,
    release: async () => {
      await program.release();
      await measured.release();
    },
  };
}
