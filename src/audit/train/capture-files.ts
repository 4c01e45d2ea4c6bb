import type { Captured } from "./capture.ts";
import type { Training } from "./prepare.ts";

export async function writeCapture(_folder: string, _training: Training, _captured: Captured): Promise<void> {}
