import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Gives all tests, and the processes they start, a cache of their own, and removes it at the end. */
export default function setUp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "fedleak-test-cache-"));
  process.env.FEDLEAK_CACHE = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
