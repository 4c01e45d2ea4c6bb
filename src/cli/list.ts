import type { Command } from "commander";
import { ATTACKS } from "../attacks/index.ts";
import { DEFENCES, rangeText } from "../defences/index.ts";
import { MODELS } from "../models/index.ts";
import { DEVICES } from "../runtime/index.ts";
import { table } from "./text-layout.ts";

/** `fedleak list`: what there is to choose from, each with one line and its source. */
export function declareList(program: Command): void {
  program
    .command("list")
    .description("List attacks, defences, models and devices, each with its source.")
    .option("--json", "print them as one JSON object")
    .addHelpText("after", "\nExamples:\n  $ fedleak list\n  $ fedleak list --json\n")
    .action(({ json }: { readonly json?: boolean }) => {
      process.stdout.write(json ? `${JSON.stringify(catalogue())}\n` : `${catalogueText()}\n`);
    });
}

function catalogue() {
  const sourced = (items: Readonly<Record<string, { readonly about: string; readonly source: string }>>) =>
    Object.entries(items).map(([name, { about, source }]) => ({ name, about, source }));
  return {
    attacks: sourced(ATTACKS),
    defences: Object.values(DEFENCES).map(({ name, about, source, stage, claim, settings }) => ({
      name,
      about,
      source,
      stage,
      claim,
      settings: Object.fromEntries(
        Object.entries(settings).map(([setting, spec]) => [
          setting,
          { usual: spec.usual, range: rangeText(spec), about: spec.about, origin: spec.origin },
        ]),
      ),
    })),
    models: sourced(MODELS),
    devices: Object.entries(DEVICES).map(([name, about]) => ({ name, about, source: "onnxruntime" })),
  };
}

function catalogueText(): string {
  return Object.entries(catalogue())
    .map(([kind, items]) => {
      const rows = items.flatMap(({ name, about, source, ...more }) => [
        [`  ${name}`, about],
        ...("settings" in more ? [["", `settings: ${usualText(more.settings)}`]] : []),
        ["", `from: ${source}`],
      ]);
      return [kind, ...table(rows)].join("\n");
    })
    .join("\n\n");
}

/** `epsilon=5,clip=1`: as a flag takes them. */
function usualText(settings: Readonly<Record<string, { readonly usual: number | string }>>): string {
  const values = Object.entries(settings).map(([name, { usual }]) => `${name}=${usual}`);
  return values.length === 0 ? "none" : values.join(",");
}
