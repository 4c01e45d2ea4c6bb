import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { completeTrainSpec, runTraining, type TrainRequest, type TrainWatcher } from "../../src/audit/index.ts";
import { key, normal, split } from "../../src/util/index.ts";

/** A CIFAR-10 file of `count` images, each class another grid of dots under noise, so that it can be learnt. */
export function cifarFile(count: number, seed = 1): string {
  const bytes = new Uint8Array(count * 3073);
  const noise = normal(split(key(seed), "noise"), count * 3072);
  for (let i = 0; i < count; i++) {
    const label = i % 10;
    bytes[i * 3073] = label;
    for (let p = 0; p < 3072; p++) {
      const level = p % 10 === label ? 220 : 40;
      bytes[i * 3073 + 1 + p] = Math.min(255, Math.max(0, level + 20 * noise[i * 3072 + p]!));
    }
  }
  const file = join(mkdtempSync(join(tmpdir(), "fedleak-train-")), "data.bin");
  writeFileSync(file, bytes);
  return file;
}

/** A small network without BatchNorm on one thread: fast, and equal bits every time. */
export function small(file: string, changes: TrainRequest = {}): TrainRequest {
  return {
    training: "centralised",
    model: { name: "mlp3", options: { hidden: 16 } },
    data: { name: "cifar10", paths: [file] },
    length: 12,
    batchSize: 8,
    threads: 1,
    ...changes,
  };
}

/** Trains into a fresh folder. */
export function train(request: TrainRequest, watcher: TrainWatcher = {}, out = freshOut()) {
  return runTraining(completeTrainSpec(request), { out, command: "fedleak train", render: () => "<html>", ...watcher });
}

function freshOut(): string {
  return join(mkdtempSync(join(tmpdir(), "fedleak-train-")), "run");
}
