import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Makes a folder for bundles of the command line (`test/cli/bundle.ts`), where packages are found, and removes it at the end. */
export default function setUp(): () => void {
  const modules = fileURLToPath(new URL("../node_modules", import.meta.url));
  const folder = mkdtempSync(join(modules, ".fedleak-test-"));
  process.env.FEDLEAK_TEST_BUNDLES = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
