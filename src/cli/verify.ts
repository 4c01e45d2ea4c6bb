import type { Command } from "commander";
import { type GoldenErrors, MOST_THREADS, verifyGoldenFile } from "../audit/index.ts";
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
    .option(
      "--tolerance <x>",
      `largest relative error of any (default: ${FIRST_ORDER}, and ${SECOND_ORDER} for dist.dx)`,
      notNegative,
    )
    .option("--device <name>", "where to compute", "cpu")
    .option("--threads <n>", "processor threads (default: one a core)", wholeFrom(0, MOST_THREADS), 0)
    .addHelpText("after", EXAMPLE)
    .action(async (path: string, { tolerance, device, threads }: Flags) => {
      const errors = await verifyGoldenFile(path, { device: parseDevice(device), threads });
      const limits = { firstOrder: tolerance ?? FIRST_ORDER, secondOrder: tolerance ?? SECOND_ORDER };
      const passed = withinLimits(errors, limits);
      const { model, mode, parameters, logits, loss, gradients, distance, dx } = errors;
      const told = { model, mode, parameters, logits, loss, gradients, distance, "dist.dx": dx };
      process.stdout.write(`${JSON.stringify({ ...told, tolerance: limits, passed })}\n`);
      exit(passed ? 0 : ABOVE_TOLERANCE);
    });
}

interface Flags {
  readonly tolerance?: number;
  readonly device: string;
  readonly threads: number;
}

const FIRST_ORDER = 1e-4; // of logits, loss, gradients, distance; our choice, PyTorch in float32 stays under 1e-5
const SECOND_ORDER = 2e-4; // of dist.dx; our choice, PyTorch in float32 stays under 7e-5
const ABOVE_TOLERANCE = 1; // exit status

const EXAMPLE = `
The errors are relative, ‖ours − golden‖ / ‖golden‖; the exit status is 1 when one is above the tolerance.

Example:
  $ fedleak verify golden/resnet10-train.safetensors --tolerance 1e-3
`;

function withinLimits(
  { logits, loss, gradients, distance, dx }: GoldenErrors,
  { firstOrder, secondOrder }: { readonly firstOrder: number; readonly secondOrder: number },
): boolean {
  return [logits, loss, gradients, distance].every((error) => error <= firstOrder) && dx <= secondOrder;
}
