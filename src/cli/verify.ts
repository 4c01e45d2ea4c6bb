import type { Command } from "commander";
import { type GoldenErrors, MOST_THREADS, verifyGoldenFile, verifyOnnxFile } from "../audit/index.ts";
import { parseDevice } from "../runtime/index.ts";
import { notNegative, wholeFrom } from "./flag-values.ts";

/** `fedleak verify`: the engine's numbers for one attack step against those of a golden file. */
export function declareVerify(program: Command, exit: (status: number) => void): void {
  program
    .command("verify")
    .description(
      "Rebuild the model named in a golden file and compare every number of one attack step with the file's.",
    )
    .argument("<golden>", "a golden safetensors file")
    .option("--onnx <model>", "take the model from this ONNX file; the golden file was computed from it")
    .option(
      "--tolerance <x>",
      `largest relative error of any (default: ${FIRST_ORDER}, and ${SECOND_ORDER} for dist.dx; more for deep models)`,
      notNegative,
    )
    .option("--device <name>", "where to compute", "cpu")
    .option("--threads <n>", "processor threads (default: one a core)", wholeFrom(0, MOST_THREADS), 0)
    .option("--json", "print what went wrong as a JSON object too; the result is one in any case")
    .addHelpText("after", EXAMPLE)
    .action(async (path: string, { onnx, tolerance, device, threads }: Flags) => {
      const where = { device: parseDevice(device), threads };
      const errors = onnx === undefined ? await verifyGoldenFile(path, where) : await verifyImported(onnx, path, where);
      const limits = limitsOf(errors, onnx !== undefined, tolerance);
      const passed = withinLimits(errors, limits);
      const { model, mode, parameters, logits, loss, gradients, distance, dx } = errors;
      const told = { status: "finished", model, mode, parameters, logits, loss, gradients, distance, "dist.dx": dx };
      process.stdout.write(`${JSON.stringify({ ...told, tolerance: limits, passed })}\n`);
      exit(passed ? 0 : ABOVE_TOLERANCE);
    });
}

interface Flags {
  readonly onnx?: string;
  readonly tolerance?: number;
  readonly device: string;
  readonly threads: number;
}

const FIRST_ORDER = 1e-4; // of logits, loss, gradients, distance; our choice, PyTorch in float32 stays under 1e-5
const SECOND_ORDER = 2e-4; // of dist.dx; our choice, PyTorch in float32 stays under 7e-5
const DEEP = /^(densenet|mobilenet)/; // the deep models of the golden files; a user's model may be one
const DEEP_SECOND_ORDER = 5e-4; // of their dist.dx; our choice
const DEEP_TRAINED = 2e-3; // of their gradients where BatchNorm normalises by a small batch; PyTorch in float32: 1e-3
const ABOVE_TOLERANCE = 1; // exit status

const EXAMPLE = `
The errors are relative, ‖ours − golden‖ / ‖golden‖; the exit status is 1 when one is above the tolerance.

Examples:
  $ fedleak verify golden/resnet10-train.safetensors --tolerance 1e-3
  $ fedleak verify --onnx model.onnx golden.safetensors
`;

/** Verifies the model of an ONNX file and says what its import has to say. */
async function verifyImported(onnx: string, golden: string, where: Parameters<typeof verifyOnnxFile>[2]) {
  const errors = await verifyOnnxFile(onnx, golden, where);
  for (const note of errors.notes) process.stderr.write(`note: ${note}\n`);
  return errors;
}

interface Limits {
  readonly firstOrder: number;
  readonly gradients: number;
  readonly secondOrder: number;
}

function limitsOf({ model, mode }: GoldenErrors, imported: boolean, tolerance: number | undefined): Limits {
  if (tolerance !== undefined) return { firstOrder: tolerance, gradients: tolerance, secondOrder: tolerance };
  const deep = imported || DEEP.test(model);
  return {
    firstOrder: FIRST_ORDER,
    gradients: deep && mode === "train" ? DEEP_TRAINED : FIRST_ORDER,
    secondOrder: deep ? DEEP_SECOND_ORDER : SECOND_ORDER,
  };
}

function withinLimits({ logits, loss, gradients, distance, dx }: GoldenErrors, limits: Limits): boolean {
  return (
    [logits, loss, distance].every((error) => error <= limits.firstOrder) &&
    gradients <= limits.gradients &&
    dx <= limits.secondOrder
  );
}
