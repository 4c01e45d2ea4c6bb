import { type Command, InvalidArgumentError } from "commander";
import { EXPORT_FORMATS, type Exported, exportModel } from "../audit/index.ts";
import { NEWEST, OLDEST_WRITTEN } from "../onnx/index.ts";
import { notNegative, wholeFrom } from "./flag-values.ts";
import { placeOf } from "./place.ts";
import { table } from "./text-layout.ts";

/** `fedleak export`: models and weights as files that other programs load. */
export function declareExport(program: Command): void {
  program
    .command("export")
    .description("Write a model as ONNX, or its weights as safetensors or npz, so that other programs can load them.")
    .argument("<model>", "a model's name, the folder of a training, or an ONNX file")
    .requiredOption(
      "--out <file>",
      `the file to write: ${Object.keys(EXPORT_FORMATS)
        .map((name) => `.${name}`)
        .join(", ")}`,
    )
    .option("--weights <file>", "safetensors, npz, ONNX or hub:<owner>/<name>/<file> (default: its own, else drawn)")
    .option("--size <pixels>", "side of the images, of a model by its name (default: 32)", wholeFrom(1))
    .option("--channels <n>", "of the images, of a model by its name (default: 3)", wholeFrom(1))
    .option("--classes <n>", "of a model by its name (default: 10)", wholeFrom(1))
    .option("--width <n>", "channels of the first stage of a resnet or convnet, or of a vit's tokens", wholeFrom(1))
    .option("--width-multiplier <x>", "channels of mobilenet-v2, as a multiple of its own", notNegative)
    .option("--patch <pixels>", "side of a vit's patches (default: 16)", wholeFrom(1))
    .option("--hidden <n>", "units of each hidden layer of mlp3, or of a vit's blocks", wholeFrom(1))
    .option("--activation <name>", "relu, sigmoid, tanh or leaky-relu")
    .option("--batch <n>", "images in a batch of an ONNX file, or dynamic (default: dynamic)", batchOf)
    .option(
      "--opset <n>",
      `of an ONNX file, ${OLDEST_WRITTEN} to ${NEWEST} (default: 17)`,
      wholeFrom(OLDEST_WRITTEN, NEWEST),
    )
    .option("--seed <n>", "weights are drawn as fedleak attack --seed draws them", wholeFrom(0), 0)
    .option("--json", "print what was written as one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (subject: string, flags: Flags) => {
      const exported = await exportModel({
        ...{ subject, out: placeOf(flags.out), seed: flags.seed, options: optionsOf(flags) },
        weights: flags.weights === undefined ? undefined : placeOf(flags.weights),
        onnx: {
          ...(typeof flags.batch === "number" && { batch: flags.batch }),
          ...(flags.opset !== undefined && { opset: flags.opset }),
        },
      });
      process.stdout.write(`${flags.json ? JSON.stringify(exported) : exportedText(exported)}\n`);
    });
}

interface Flags {
  readonly out: string;
  readonly weights?: string;
  readonly size?: number;
  readonly channels?: number;
  readonly classes?: number;
  readonly width?: number;
  readonly widthMultiplier?: number;
  readonly patch?: number;
  readonly hidden?: number;
  readonly activation?: string;
  readonly batch?: number | "dynamic";
  readonly opset?: number;
  readonly seed: number;
  readonly json?: boolean;
}

const EXAMPLES = `
The network is written for eval mode, with input "images" [B,C,H,W] (in [0,1], as it was trained) and output "logits" [B,N].

Examples:
  What a training came to, for onnxruntime, TensorFlow or another audit:
    $ fedleak export runs/train --out model.onnx
  A model as an attack of the same seed begins with it:
    $ fedleak export resnet10 --size 32 --classes 10 --seed 0 --out resnet10.onnx
  The same weights for NumPy and Flower:
    $ fedleak export resnet10 --weights runs/train/weights.safetensors --out weights.npz
`;

/** What the flags say of a model; sizes that are not given are the request's to fill. */
function optionsOf({ size, channels, ...flags }: Flags): Readonly<Record<string, unknown>> {
  const { classes, width, widthMultiplier, patch, hidden, activation } = flags;
  const given = { size, channels, classes, width, widthMultiplier, patch, hidden, activation };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** What was written, for a person at a terminal. */
function exportedText({
  out,
  format,
  sizeBytes,
  model,
  parameters,
  tensors,
  inputShape,
  classes,
  weights,
}: Exported): string {
  return table([
    ["written", `${out}, ${sizeBytes.toLocaleString("en-US")} bytes: ${EXPORT_FORMATS[format]}`],
    ["model", `${model}, images ${inputShape.join("×")}, ${classes} classes`],
    ["tensors", `${tensors}, ${parameters.toLocaleString("en-US")} trained numbers`],
    ["weights", weights],
  ]).join("\n");
}

function batchOf(text: string): number | "dynamic" {
  if (text === "dynamic") return text;
  if (/^\d+$/.test(text) && Number(text) >= 1) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1 on, or dynamic.");
}
