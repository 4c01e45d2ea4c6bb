import type { Advice, Judged, Leak } from "../../audit/index.ts";

/** The advice in plain words: what to do, and the sentences that say why. */
export function adviceText(advice: Advice): { readonly title: string; readonly sentences: readonly string[] } {
  const { outcome, recommended, judged, undefended, marginDb, untrained } = advice;
  if (outcome === "not-measured") {
    return { title: "Nothing can be advised yet.", sentences: ["No update without a defence has been attacked yet."] };
  }
  const open = undefended === null ? [] : [`Without a defence ${leakText(undefended)}.`];
  if (outcome === "blind") {
    return {
      title: "This trade-off cannot tell the defences apart.",
      sentences: [
        ...open,
        "The attacks found nothing above the floor even without a defence, so that what a defence stops cannot be seen. " +
          "Take a stronger attack, more evaluations, a smaller batch, more batches or more that the server knows (--grant), and ask again.",
      ],
    };
  }
  if (outcome === "untrained") {
    return {
      title: "This trade-off cannot tell what a defence costs.",
      sentences: [
        `Even without a defence the accuracy is not told from that of always naming the commonest class (${percent(untrained!)}). Train longer.`,
        ...open,
        ...missingText(judged),
      ],
    };
  }
  if (recommended !== null) {
    return {
      title: recommended.adaptive
        ? `Use ${settingText(recommended)}.`
        : `Use ${settingText(recommended)}, as far as naive attackers tell.`,
      sentences: [
        `It keeps an accuracy of ${percent(recommended.accuracy!)}${keptText(recommended)}, and ${leakText(recommended.worst!)}: ` +
          `the upper end lies at most ${marginDb} dB above the floor, for every attacker that was tried${recommended.adaptive ? "" : "; none of them knows the defence, and one that does may get further"}.`,
        ...recommended.privacy.map((text) => `What its defences promise over the training: ${text}.`),
        ...recommended.untoldAt.map(
          (place) =>
            `At ${place} weights the attacks found nothing without a defence either: what it stops there cannot be seen.`,
        ),
        ...open,
        ...nextText(judged),
        ...missingText(judged),
      ],
    };
  }
  return { title: "No setting that was tried can be advised.", sentences: [...open, ...reasons(advice)] };
}

/** Why nothing holds: the setting that comes nearest, and what to try. */
function reasons({ judged, keepAccuracy, marginDb }: Advice): string[] {
  const dear = judged.find(({ verdict }) => verdict === "costs-too-much");
  const nearest = judged
    .filter((one) => one.verdict === "leaks" && one.worst !== null)
    .sort((a, b) => excess(a.worst!) - excess(b.worst!))[0];
  return [
    ...(dear
      ? [
          `${settingText(dear)} keeps the leakage at the floor but not the ${percent(keepAccuracy!)} of the undefended accuracy that were asked for: its accuracy is ${percent(dear.accuracy!)}${keptText(dear)}.`,
        ]
      : []),
    ...(nearest
      ? [
          `Of the others ${settingText(nearest)} comes nearest: ${leakText(nearest.worst!)}, an upper end of more than ${marginDb} dB above the floor, at an accuracy of ${percent(nearest.accuracy!)}.`,
        ]
      : []),
    ...missingText(judged),
    "Try stronger settings, two defences in a chain, or more batches: an interval over few of them is wide.",
  ];
}

/** The settings that are not judged because a planned score is missing. */
function missingText(judged: readonly Judged[]): string[] {
  const names = judged.flatMap(({ cell, missing }) =>
    missing.length === 0 ? [] : [`${cell.name}: ${missing.join(", ")}`],
  );
  return names.length === 0 ? [] : [`Not judged, as scored attacks are missing: ${names.join("; ")}.`];
}

/** What the next more accurate settings lack. */
function nextText(judged: readonly Judged[]): string[] {
  const [first] = judged;
  const better = judged.filter(
    ({ verdict, accuracy, cell }) => verdict === "leaks" && cell.defences.length > 0 && accuracy! >= first!.accuracy!,
  );
  if (better.length === 0) return [];
  const names = better.map(({ cell }) => cell.name).join(", ");
  return [`More accurate, or as accurate, but leaking: ${names}.`];
}

/** `dp-sgd-medium (dp-sgd: epsilon 8)` */
export function settingText({ cell }: Pick<Judged, "cell">): string {
  if (cell.defences.length === 0)
    return `${cell.name === "none" ? "no defence" : cell.name}${stepsText(cell.localSteps)}`;
  const chain = cell.defences.map(({ name, settings }) => {
    const values = Object.entries(settings).map(([setting, value]) => `${setting} ${value}`);
    return values.length === 0 ? name : `${name}: ${values.join(", ")}`;
  });
  return `${cell.name} (${chain.join("; then ")}${stepsText(cell.localSteps)})`;
}

function stepsText(steps: number | null): string {
  return steps === null ? "" : `; ${steps} local ${steps === 1 ? "step" : "steps"}`;
}

/** `fedleak got 12.30 dB at trained weights, 0.30 dB above the floor (95 %: −0.10 to 0.80)` */
export function leakText({ attack, place, psnrDb, leakageDb, interval95Db }: Leak): string {
  const range = interval95Db === null ? "no interval" : `95 %: ${db(interval95Db[0])} to ${db(interval95Db[1])}`;
  const side = leakageDb < 0 ? "below" : "above";
  return `${attack} got ${db(psnrDb)} dB at ${place} weights, ${db(Math.abs(leakageDb))} dB ${side} the floor (${range})`;
}

function excess({ leakageDb, interval95Db }: Leak): number {
  return interval95Db?.[1] ?? leakageDb;
}

function keptText({ kept }: Judged): string {
  return kept === null ? "" : `, ${percent(kept)} of what is reached without a defence`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function db(value: number): string {
  return value.toFixed(2).replace("-", "−");
}
