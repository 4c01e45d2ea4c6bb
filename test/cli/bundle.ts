import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The command line of the source as it is now, in a few files of plain JavaScript: the path of its `main.js`.
 *
 * Five hundred modules through a loader take a process 4 s of processor time before its first line, the bundle 1 s. Packages
 * stay outside. Each worker of vitest makes it once, in the folder that `test/bundle-folder.ts` removes at the end.
 */
export function commandLineBundle(): string {
  made ??= bundle();
  return made;
}

let made: string | undefined;

function bundle(): string {
  const root = join(process.env.FEDLEAK_TEST_BUNDLES!, `${process.pid}`);
  const outdir = join(root, "dist/cli"); // as deep as in the source: it looks for package.json two folders up
  const entryPoints = Object.fromEntries(
    ["cli/main", "cli/compare-worker", "runtime/threads/program-thread"].map((path) => [
      path.slice(path.lastIndexOf("/") + 1),
      join(ROOT, `src/${path}.ts`),
    ]),
  );
  buildSync({
    ...{ entryPoints, outdir, bundle: true, splitting: true, packages: "external" },
    ...{ format: "esm", platform: "node", target: "node20", logLevel: "error" },
  });
  copyFileSync(join(ROOT, "package.json"), join(root, "package.json"));
  return join(outdir, "main.js");
}
