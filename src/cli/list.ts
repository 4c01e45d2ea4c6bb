import type { Command } from "commander";
import { ATTACKS } from "../attacks/index.ts";
import { MODELS } from "../models/index.ts";
import { DEVICES } from "../runtime/index.ts";
import { table } from "./text-layout.ts";

/** `fedleak list`: what there is to choose from, each with one line and its source. */
export function declareList(program: Command): void {
  program
    .command("list")
    .description("List attacks, models and devices, each with its source.")
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
    models: sourced(MODELS),
    devices: Object.entries(DEVICES).map(([name, about]) => ({ name, about, source: "onnxruntime" })),
  };
}

function catalogueText(): string {
  return Object.entries(catalogue())
    .map(([kind, items]) => {
      const rows = items.flatMap(({ name, about, source }) => [
        [`  ${name}`, about],
        ["", `from: ${source}`],
      ]);
      return [kind, ...table(rows)].join("\n");
    })
    .join("\n\n");
}
