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

/** `data.path`, `model.weights` and `prior` as absolute paths, so that the comparison can be continued from anywhere. */
function withPaths(setting: unknown, folder: string): unknown {
  if (typeof setting !== "object" || setting === null) return setting;
  const whole = (path: unknown) =>
    typeof path === "string" && !path.startsWith("hub:") ? resolve(folder, path) : path; // hub: a place on the hub
  const entry = (value: unknown, key: string): unknown =>
    typeof value === "object" && value !== null && key in value
      ? { ...value, [key]: whole((value as Entries)[key]) }
      : value;
  const { data, model } = setting as Entries;
  const known = {
    ...("data" in setting && { data: entry(data, "path") }),
    ...("model" in setting && { model: entry(model, "weights") }),
  };
  return entry({ ...setting, ...known }, "prior");
}

type Entries = Readonly<Record<string, unknown>>;
