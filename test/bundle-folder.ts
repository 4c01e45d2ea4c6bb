import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Makes a folder for bundles of the command line (`test/cli/bundle.ts`), where packages are found, and removes it at the end. */
export default function setUp(): () => void {
  const modules = fileURLToPath(new URL("../node_modules", import.meta.url));
  for (const left of readdirSync(modules).filter((name) => name.startsWith(PREFIX))) {
    const path = join(modules, left);
    const born = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now(); // another run may just have removed it
    if (Date.now() - born > A_DAY_MS) rmSync(path, { recursive: true, force: true }); // of a run that was killed
  }
  const folder = mkdtempSync(join(modules, PREFIX));
  process.env.FEDLEAK_TEST_BUNDLES = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

const PREFIX = ".fedleak-test-";
const A_DAY_MS = 24 * 3600 * 1000; // our choice: longer than any run
