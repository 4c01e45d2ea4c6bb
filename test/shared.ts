import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";

/** The path of a file or folder of the shared test material (`../shared` beside the repository), if it is there. */
export function sharedPath(relative: string): string | undefined {
  const path = fileURLToPath(new URL(`../../shared/${relative}`, import.meta.url));
  return existsSync(path) ? path : undefined;
}

/** The path of shared test material; skips the running test, and says why, where it is missing. */
export function requireShared(context: TestContext, relative: string): string {
  return sharedPath(relative) ?? context.skip(`needs ../shared/${relative}, which is not here`);
}
