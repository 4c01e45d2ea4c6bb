import type { Command } from "commander";
import { completeTrainSpec, runTraining } from "../audit/index.ts";
import { renderTraining } from "../report/index.ts";
import { commandLine } from "./command-line.ts";
import { conductTrain } from "./conduct-train.ts";
import { declareTrainFlags, trainRequest } from "./train-flags.ts";

/** `fedleak train`: trains a model, in a simulated federation or on one machine. */
export function declareTrain(program: Command, exit: (status: number) => void): void {
  const command = program
    .command("train")
    .description("Train a model in a simulated federation, or centralised, and keep its weights and captured updates.");
  declareTrainFlags(command)
    .option("--out <dir>", "folder of the training, new or empty (default: a fresh one under runs)")
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Readonly<Record<string, unknown>> & { readonly out?: string; readonly json?: boolean }) => {
      const spec = completeTrainSpec(trainRequest(flags));
      const about = { out: flags.out, command: commandLine(process.argv.slice(2)), render: renderTraining };
      exit(await conductTrain((watcher) => runTraining(spec, { ...about, ...watcher }), flags));
    });
}

const EXAMPLES = `
Examples:
  Weights of a trained network, for fedleak attack --weights runs/train/weights.safetensors:
    $ fedleak train --centralised --cifar10 data_batch_1.bin,data_batch_2.bin --steps 1500 --out runs/train
  A federation of 100 clients with two classes each, and what client 3 sends at the start and in round 50:
    $ fedleak train --cifar10 data_batch_1.bin --partition label-skew --capture client=3,round=0,50
  Hospitals that keep their own BatchNorm statistics:
    $ fedleak train --images scans --size 32 --clients 5 --share 1 --partition dirichlet --alpha 0.3 --bn-buffers local
  Clients that clip and blur the gradient of each image, for an epsilon of 8 over the whole training:
    $ fedleak train --cifar10 data_batch_1.bin --model lenet-sigmoid --defence dp-sgd:epsilon=8 --rounds 200
  One gradient a round, averaged by the server:
    $ fedleak train --cifar10 data_batch_1.bin --algorithm fedsgd --rounds 500 --momentum 0.9
`;
