import type { InferenceSession, Tensor } from "onnxruntime-common";
import { FedleakError, unknownName } from "../util/index.ts";

/** Where programs run, with one line on each. */
export const DEVICES = {
  cpu: "the processor, through onnxruntime's CPU kernels; always there",
  webgpu: "the graphics processor, through WebGPU (Vulkan, Metal or Direct3D 12)",
} as const;

export type Device = keyof typeof DEVICES;

export interface Provider {
  readonly ort: { readonly InferenceSession: typeof InferenceSession; readonly Tensor: typeof Tensor };
  readonly executionProviders: InferenceSession.ExecutionProviderConfig[];
}

/** A device by name; throws with a suggestion when there is none of that name. */
export function parseDevice(name: string): Device {
  return name in DEVICES ? (name as Device) : unknownName("device", "device", name, Object.keys(DEVICES));
}

/** The onnxruntime binding for a device; `cpuOnly` names the nodes that must stay on the processor. */
export async function loadProvider(device: Device, cpuOnly: readonly string[]): Promise<Provider> {
  const binding = await import("onnxruntime-node");
  const ort = binding.default ?? binding; // CommonJS: loaders differ in where its exports are
  // onnxruntime refuses an empty list of names.
  const pinned = device === "webgpu" && cpuOnly.length > 0;
  return { ort, executionProviders: [pinned ? { name: device, forceCpuNodeNames: cpuOnly } : device] };
}

/** What to say when a session cannot be opened on a device. */
export function deviceError(device: Device, cause: unknown): FedleakError {
  if (cause instanceof FedleakError) return cause;
  const message = String(cause instanceof Error ? cause.message : cause).split("\n")[0]!;
  const got = message.replace(/^.* was false\. /, ""); // onnxruntime puts its source position in front
  const remedy =
    device === "cpu"
      ? "This is a fault of fedleak: please report the command."
      : "Install a Vulkan driver for the GPU (see “Devices” in the README), or use --device cpu.";
  return new FedleakError({ who: `device ${device}`, must: "the device must open", got, remedy, cause });
}
