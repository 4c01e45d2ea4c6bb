import { type Finding, found, short, someOf } from "./finding.ts";
import { type LayerRow, passesOf } from "./layer-rows.ts";
import type { Matched } from "./match.ts";
import { statisticsOf } from "./observation.ts";
import type { CapturedUpdate } from "./read.ts";

/** Whether the files' tensors are those of the model, each once. */
export function matchLaws({ matched }: CapturedUpdate): Finding[] {
  return (["before", "update"] as const).flatMap((stem) => {
    const { matches } = matched[stem];
    const told = (how: Matched["matches"][number]["how"]) =>
      matches.filter((m) => m.how === how).map((m) => `${m.tensor ?? m.file}${m.about === "" ? "" : ` ${m.about}`}`);
    const [missing, shape, extra, order] = [told("missing"), told("shape"), told("extra"), told("order")];
    return [
      ...(shape.length ? [found("shapes", "broken", `${stem}: of another shape: ${someOf(shape)}`)] : []),
      ...(missing.length
        ? [found("missing", stem === "update" ? "broken" : "note", `${stem}: missing: ${someOf(missing)}`)]
        : []),
      ...(extra.length ? [found("extra", "doubt", `${stem}: not of this model: ${someOf(extra)}`)] : []),
      ...(order.length
        ? [found("order", "note", `${stem}: ${order.length} tensors go by shape and order, not by name`)]
        : []),
    ];
  });
}

/** Whether there are numbers in the update, and only numbers. */
export function numberLaws(rows: readonly LayerRow[]): Finding[] {
  const sent = rows.filter(({ norm }) => norm !== null);
  const broken = sent.filter(({ notFinite }) => notFinite > 0).map(({ name }) => name);
  const still = sent.filter(({ norm }) => norm === 0).map(({ name }) => name);
  const sparse = sent.filter(({ norm, zeros, shape }) => norm !== 0 && zeros > shape.reduce((a, b) => a * b, 1) / 2);
  return [
    ...(broken.length ? [found("finite", "broken", `NaN or infinity in ${someOf(broken)}`)] : []),
    ...(still.length === sent.length
      ? [found("zero", "broken", "nothing has changed: every tensor of the update is zero")]
      : still.length > 0
        ? [found("zero", "doubt", `zero throughout: ${someOf(still)} (frozen, or withheld by a defence)`)]
        : []),
    ...(sparse.length
      ? [
          found(
            "sparse",
            "note",
            `more than half zeros: ${someOf(sparse.map(({ name }) => name))} (silent units, or a defence that prunes)`,
          ),
        ]
      : []),
  ];
}

/** Whether weights changed by as much as steps at this learning rate may, and enough to be told from rounding. */
export function changeLaws({ manifest, estimate }: CapturedUpdate, rows: readonly LayerRow[]): Finding[] {
  if (manifest.sent === "gradient") return [];
  const moved = Math.hypot(...rows.map(({ norm }) => norm ?? 0)) * (manifest.learningRate ?? 1) * manifest.localSteps;
  const share = moved / Math.hypot(...rows.map(({ weightNorm }) => weightNorm));
  const { rounding } = estimate;
  return [
    ...(share > LARGE_CHANGE
      ? [
          found(
            "change",
            "doubt",
            `the weights moved by ${short(100 * share)} % of their norm in ${manifest.localSteps} steps, which is much`,
          ),
        ]
      : []),
    ...(rounding > LARGE_ROUNDING
      ? [found("rounding", "doubt", `up to ${short(100 * rounding)} % of the change is rounding of float32 weights`)]
      : []),
  ];
}

const LARGE_CHANGE = 0.5; // our choice: training that moves so far in a round diverges
const LARGE_ROUNDING = 0.01; // our choice

/** Whether linear layers' gradients have no more rank than images went through them, over all local steps. */
export function rankLaws(captured: CapturedUpdate, rows: readonly LayerRow[]): Finding[] {
  const passes = passesOf(captured);
  if (passes === undefined) return [];
  const tested = rows.filter(({ rank, rankLimit }) => rank !== null && rankLimit! > passes);
  const above = tested.filter(({ rank }) => rank! > passes)[0];
  if (above) {
    const rank = `${above.rank}${above.rank === above.rankLimit ? " or more" : ""}`;
    const text = `${above.name} has rank ${rank}, and ${passes} images give at most ${passes}`;
    const why = "the weights are of another round, the batch is larger than told, or noise was added";
    return [found("rank", "broken", `${text}: ${why}`)];
  }
  const names = tested.map(({ name, rank }) => `${name} ${rank}`);
  return names.length > 0 ? [found("rank", "passed", `no rank above the ${passes} images: ${someOf(names)}`)] : [];
}

/** Whether BatchNorm's running statistics can have come from those handed out, and its counter from the steps told. */
export function bufferLaws(captured: CapturedUpdate): Finding[] {
  const { manifest, before, buffers, matched } = captured;
  return [...counterLaws(captured), ...(manifest.batchNorm === "eval" ? unmoved() : moved())];

  function unmoved(): Finding[] {
    const changed = Object.keys(buffers).filter((name) => !equal(buffers[name]!.data, before.buffers[name]?.data));
    if (changed.length === 0) return [];
    return [
      found(
        "buffers",
        "broken",
        `BatchNorm is said to be in eval mode, and running statistics moved: ${someOf(changed)}`,
      ),
    ];
  }

  function moved(): Finding[] {
    if (Object.keys(buffers).length === 0 || Object.keys(matched.before.tensors).length === 0) return [];
    const seen = Object.entries(statisticsOf(captured, Math.max(2, manifest.batchSize ?? 2)));
    if (seen.length === 0) return [];
    const negative = seen
      .filter(([name, { variance }]) => {
        const start = before.buffers[`${name}.running_var`]!.data;
        return variance.data.some((v, i) => v < -NEGATIVE * start[i]!);
      })
      .map(([name]) => name);
    if (negative.length > 0) {
      const text = `running variances fell faster than momentum 0.1 allows in ${manifest.localSteps} steps: ${someOf(negative)}`;
      return [found("buffers", "broken", `${text}; those handed out are of another round, or the momentum is another`)];
    }
    return [
      found("buffers", "passed", `running statistics of ${seen.length} BatchNorm layers moved as momentum 0.1 allows`),
    ];
  }
}

const NEGATIVE = 1e-4; // of the variance handed out: rounding, magnified by 1/0.1; our choice

/** `num_batches_tracked` grows by one a step. */
function counterLaws({ manifest, matched }: CapturedUpdate): Finding[] {
  if (manifest.sent === "gradient" || manifest.batchNorm === "eval") return [];
  const wrong = Object.entries(matched.update.counters).flatMap(([name, after]) => {
    const start = manifest.sent === "delta" ? 0 : matched.before.counters[name];
    return start === undefined || after - start === manifest.localSteps ? [] : [`${name} by ${after - start}`];
  });
  if (wrong.length === 0) return [];
  const text = `PyTorch's counter of batches grew otherwise than the ${manifest.localSteps} steps told: ${someOf(wrong)}`;
  return [found("counter", "broken", text)];
}

function equal(a: Float32Array, b: Float32Array | undefined): boolean {
  return b !== undefined && a.every((v, i) => v === b[i]);
}
