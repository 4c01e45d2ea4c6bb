import type { Command } from "commander";
import { type Rating, rateRun, writeRatePage } from "../audit/index.ts";
import { renderRatePage } from "../report/index.ts";
import { wholeFrom } from "./flag-values.ts";
import { table } from "./text-layout.ts";

/** `fedleak rate`: the attack success rate as people judge it. */
export function declareRate(program: Command): void {
  program
    .command("rate")
    .description("Let people say which private image each reconstruction shows, and count how often they are right.")
    .argument("<run>", "the run's folder")
    .option("--votes <files...>", "files that the page saved, one a person: compute the success rate")
    .option("--candidates <n>", "private images to choose from (default: 5, or the batch)", wholeFrom(2))
    .option("--seed <n>", "seed of the order of questions and candidates", wholeFrom(0), 0)
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (folder: string, { votes, candidates, seed, json = false }: Flags) => {
      if (votes === undefined) {
        const page = await writeRatePage(folder, { seed, candidates, render: renderRatePage });
        process.stdout.write(json ? `${JSON.stringify({ page })}\n` : `${pageText(page, folder)}\n`);
        return;
      }
      const { rating, path } = await rateRun(folder, votes);
      process.stdout.write(json ? `${JSON.stringify({ ...rating, path })}\n` : `${ratingText(rating, path)}\n`);
    });
}

interface Flags {
  readonly votes?: readonly string[];
  readonly candidates?: number;
  readonly seed: number;
  readonly json?: boolean;
}

const EXAMPLES = `
The paper reports how many reconstructions three volunteers recognise. Here each person chooses among private images of the
batch, so that guessing has a known rate, printed beside the result. Reconstructions are paired with the images they are most
like, so a rate a little above guessing is no leak yet. The page contains the private images.

Examples:
  Write the page, open it in a browser, let three people answer:
    $ fedleak rate runs/first
  Count what they saved:
    $ fedleak rate runs/first --votes votes-a.json votes-b.json votes-c.json
`;

function pageText(page: string, folder: string): string {
  return [
    `page    ${page}`,
    "",
    "Open it in a browser: it shows the private images, so keep it as you keep them. Each person saves a file; then:",
    `  fedleak rate ${folder} --votes FILE…`,
  ].join("\n");
}

function ratingText({ majority, mean, raters, chance, votesFor, candidates }: Rating, path: string): string {
  const percent = (share: number) => `${Math.round(share * 1000) / 10} %`;
  const line = ({ share, interval95: [low, high] }: Rating["mean"]) =>
    `${percent(share)}  95 % interval ${percent(low)} to ${percent(high)}`;
  return [
    "",
    `Attack success rate, ${votesFor.length} images, each among ${candidates}: people recognise`,
    "",
    ...table([
      ["most of the raters", line(majority)],
      ["on average", line(mean)],
      ...raters.map(({ rater, share }) => [rater, percent(share)]),
      ["guessing", percent(chance)],
    ]),
    "",
    `rating  ${path}`,
  ].join("\n");
}
