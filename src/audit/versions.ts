import { createRequire } from "node:module";
import type { RunRecord } from "./record-schema.ts";

/** The versions a run's numbers depend on. */
export function versions(): RunRecord["versions"] {
  const require = createRequire(import.meta.url);
  const versionOf = (file: string) => (require(file) as { readonly version: string }).version;
  return {
    fedleak: versionOf("../../package.json"),
    node: process.versions.node,
    onnxruntime: versionOf("onnxruntime-node/package.json"),
    platform: `${process.platform} ${process.arch}`,
  };
}
