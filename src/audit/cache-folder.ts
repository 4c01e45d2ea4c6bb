import { homedir } from "node:os";
import { join } from "node:path";

/** FEDLEAK_CACHE, where it says a folder; a variable that is set to nothing is not set. */
export function ownCache(): string | undefined {
  return process.env.FEDLEAK_CACHE || undefined;
}

/** Where the system keeps what can be made or fetched again. */
export function usualCache(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "fedleak");
}
