import { unknownName } from "../util/index.ts";
import { CAPABILITIES, type Capability, type ClientUpdate, type Observation } from "./types.ts";

/**
 * What the adversary sees of what a client sent: the only way to make an Observation.
 *
 * The update, how many clients share it, the handed-out weights and BatchNorm's mode are always seen; the rest only when granted. Labels come
 * sorted, without the order of the images. Throws FedleakError at an unknown capability.
 */
export function observe(sent: ClientUpdate, granted: readonly Capability[]): Observation {
  const known = Object.keys(CAPABILITIES);
  for (const name of granted) if (!known.includes(name)) unknownName("observe", "capability", name, known);
  const may = (capability: Capability) => granted.includes(capability);
  const {
    modelName,
    mode,
    global,
    update,
    batchSize,
    local,
    labels,
    statistics,
    buffers,
    clients,
    defences = [],
  } = sent;
  return {
    modelName,
    mode,
    global,
    update,
    ...(clients !== undefined && { clients }),
    ...(may("batch-size") && { batchSize }),
    ...(may("local-schedule") && local && { local }),
    ...(may("labels") && { labels: [...labels].sort((a, b) => a - b) }),
    ...(may("bn-statistics") && { statistics, buffers }),
    ...(may("defence") && { defences }),
    granted: [...granted],
  };
}

/** The assumptions an observation stands for, in words, for the ledger: what the server knows and who sent what. */
export function observationLedger({ granted, mode, local }: Observation): Readonly<Record<string, string>> {
  const may = (capability: Capability) => granted.includes(capability);
  return {
    granted: granted.length === 0 ? "nothing" : granted.join(", "),
    batchSize: may("batch-size") ? "known" : "not known",
    localSteps: local ? `${local.steps}, at learning rate ${local.learningRate}` : "none known: one gradient",
    labels: may("labels") ? "true labels known, not their order" : "not known",
    batchNorm: mode === "train" ? "by the batch (train mode)" : "by the running statistics (eval mode)",
    buffers: buffersText(mode, may("bn-statistics")),
  };
}

function buffersText(mode: Observation["mode"], sent: boolean): string {
  if (mode === "eval") return "the server's own, unchanged by the client";
  return sent
    ? "sent by the client, and with them its batch statistics"
    : "kept by the client: the server has only those it handed out";
}
