import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fail } from "../util/index.ts";

/** A plan file's content; its paths are taken from the file's own folder. */
export async function readPlan(file: string): Promise<Record<string, unknown>> {
  const problem = (got: string, remedy: string, cause: unknown) =>
    fail({ who: `plan ${file}`, must: "it must be a file with a plan in JSON", got, remedy, cause });
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) =>
    problem(cause.code === "ENOENT" ? "no such file" : `"${cause.message}"`, "Check the path.", cause),
  );
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch (cause) {
    problem(`"${(cause as Error).message}"`, "Mend the JSON: commas, quotes, brackets.", cause);
  }
  if (typeof plan !== "object" || plan === null || Array.isArray(plan)) {
    return problem(Array.isArray(plan) ? "a list" : String(plan), "Write an object with attacks and settings.", null);
  }
  const { settings, ...rest } = plan as { readonly settings?: unknown };
  if (!Array.isArray(settings)) return plan as Record<string, unknown>;
  return { ...rest, settings: settings.map((setting) => withPaths(setting, dirname(resolve(file)))) };
}

/** `data.path` and `model.weights` as absolute paths, so that the comparison can be continued from anywhere. */
function withPaths(setting: unknown, folder: string): unknown {
  const entry = (value: unknown, key: string): unknown => {
    const path = (value as Entries | undefined)?.[key];
    return typeof path === "string" ? { ...(value as Entries), [key]: resolve(folder, path) } : value;
  };
  if (typeof setting !== "object" || setting === null) return setting;
  const { data, model, ...rest } = setting as { readonly data?: unknown; readonly model?: unknown };
  return {
    ...rest,
    ...(data !== undefined && { data: entry(data, "path") }),
    ...(model !== undefined && { model: entry(model, "weights") }),
  };
}

type Entries = Readonly<Record<string, unknown>>;
