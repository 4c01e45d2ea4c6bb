import type { Mode } from "../nn/index.ts";
import type { OnnxFile } from "./file.ts";
import type { Head } from "./head.ts";
import type { Roles } from "./roles.ts";

/** How to export so that an update that was captured in training fits the model by name. */
export const EXPORT_FOR_CAPTURE =
  "Export it as it is trained: torch.onnx.export(model, x, file, training=torch.onnx.TrainingMode.TRAINING, " +
  'do_constant_folding=False, dynamic_axes={"input": {0: "batch"}}), with input_names=["input"].';

const LOST = /^(onnx::\w+_\d+|\d+|const_fold_opt__\d+|.*_quantized)$/; // names that exporters make up

/** What the user should know about a file, one sentence each. */
export function notesOf(
  file: OnnxFile,
  { params, buffers }: Roles,
  head: Head,
  mode: Mode,
  exportedBatch: number | undefined,
): string[] {
  const lost = [...params.keys()].filter((name) => LOST.test(name));
  const dropout = file.nodes.some(({ type }) => type === "Dropout");
  const notes: (string | false)[] = [
    lost.length > 0 &&
      `${lost.length} of ${params.size} parameters have lost their names (such as "${lost[0]}")${
        buffers.size === 0 ? ": BatchNorm, if there was any, was folded into other layers" : ""
      }. A captured update cannot be matched to them. ${EXPORT_FOR_CAPTURE}`,
    exportedBatch !== undefined &&
      `It was exported for batches of ${exportedBatch}; shapes that say so are taken for the batch size. Export with ` +
        "dynamic_axes to be sure.",
    head.softmax !== undefined &&
      `Its ${head.softmax} is left away: the loss is the cross-entropy of the logits before it.`,
    dropout &&
      mode === "train" &&
      "Dropout is left away: an update of a client that uses it is matched in the mean only.",
  ];
  return notes.filter((note) => note !== false);
}
