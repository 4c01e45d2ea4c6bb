import type { Command } from "commander";
import { type Rating, type RatingOutcome, rateRun, writeRatePage } from "../audit/index.ts";
import { ratingCaveats, renderRatePage } from "../report/index.ts";
import { wholeFrom } from "./flag-values.ts";
import { table, wrapped } from "./text-layout.ts";

/** `fedleak rate`: the attack success rate as people judge it. */
export function declareRate(program: Command): void {
  program
    .command("rate")
    .description("Let people say which private image each reconstruction shows, and count how often they are right.")
    .argument("<run>", "the run's folder")
    .option("--votes <files...>", "files that the page saved, one a person: compute the success rate")
    .option("--anew", "count these votes alone; the rating of before is kept beside it, under another name")
    .option("--candidates <n>", "private images to choose from (default: 5, or the batch)", wholeFrom(2))
    .option("--seed <n>", "seed of the order of questions and candidates", wholeFrom(0), 0)
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (folder: string, { votes, candidates, seed, anew = false, json = false }: Flags) => {
      if (votes === undefined) {
        const page = await writeRatePage(folder, { seed, candidates, render: renderRatePage });
        process.stdout.write(json ? `${JSON.stringify({ page })}\n` : `${pageText(page, folder)}\n`);
        return;
      }
      const outcome = await rateRun(folder, votes, { anew });
      process.stdout.write(`${json ? JSON.stringify(ratingJson(outcome)) : ratingText(outcome)}\n`);
    });
}

interface Flags {
  readonly votes?: readonly string[];
  readonly candidates?: number;
  readonly seed: number;
  readonly anew?: boolean;
  readonly json?: boolean;
}

const EXAMPLES = `
The paper reports how many reconstructions three volunteers recognise. Here each person chooses among private images of the
batch, so that guessing has a known rate, printed beside the result. Reconstructions are paired with the images they are most
like, so a rate a little above guessing is no leak yet. The page contains the private images.

Examples:
  Write the page, open it in a browser, let three people answer:
    $ fedleak rate runs/first
  Count what they saved, all at once or one after the other; votes of before are kept:
    $ fedleak rate runs/first --votes votes-a.json votes-b.json
    $ fedleak rate runs/first --votes votes-c.json
`;

function pageText(page: string, folder: string): string {
  return [
    `page    ${page}`,
    "",
    "Open it in a browser: it shows the private images, so keep it as you keep them. Each person saves a file; then:",
    `  fedleak rate ${folder} --votes FILE…`,
  ].join("\n");
}

function ratingText({ rating, path, before, setAside }: RatingOutcome): string {
  const { majority, mean, raters, chance, majorityChance, votesFor, candidates } = rating;
  const percent = (share: number) => `${Math.round(share * 1000) / 10} %`;
  const line = ({ share, interval95: [low, high] }: Rating["mean"], guessing: number) =>
    `${percent(share)}  95 % interval ${percent(low)} to ${percent(high)}  guessing ${percent(guessing)}`;
  return [
    "",
    `Attack success rate, ${votesFor.length} images, each among ${candidates}: people recognise`,
    "",
    ...table([
      ["most of the raters", line(majority, majorityChance)],
      ["on average", line(mean, chance)],
      ...raters.map(({ rater, share, unsure }) => [
        before.includes(rater) ? `${rater} (from before)` : rater,
        `${percent(share)}  cannot tell ${unsure} of ${votesFor.length}`,
      ]),
    ]),
    "",
    ...ratingCaveats(rating).flatMap((text) => wrapped(text, WIDTH)),
    "",
    `rating  ${path}`,
    ...(setAside === undefined ? [] : [`before  ${setAside}`]),
  ].join("\n");
}

function ratingJson({ rating, path, before, setAside }: RatingOutcome): Record<string, unknown> {
  return { ...rating, path, before, setAside, caveats: ratingCaveats(rating) };
}

const WIDTH = 96; // columns of text; our choice
