import type { RunResults } from "../audit/index.ts";
import { floorList } from "./floor-list.ts";
import { dbText, ssimText } from "./format.ts";
import { type Html, html } from "./html.ts";

/** A table that is its own dot chart: the result and, on the same scale, what pictures score that show no private image. */
export function floorsSection({
  psnrDb,
  ssim,
  pairs,
  floors,
}: Pick<RunResults, "psnrDb" | "ssim" | "pairs" | "floors">): Html {
  const rows: readonly Row[] = [
    {
      kind: "result",
      name: "this run, one-to-one",
      meaning: "the headline",
      psnrDb: psnrDb.oneToOne,
      ssim: ssim.oneToOne,
      perImagePsnrDb: pairs.oneToOne.map((pair) => pair.psnrDb),
    },
    {
      kind: "reuse",
      name: "this run, many-to-one",
      meaning: "reuse allowed",
      psnrDb: psnrDb.manyToOne,
      ssim: ssim.manyToOne,
      perImagePsnrDb: pairs.manyToOne.map((pair) => pair.psnrDb),
    },
    ...floorList(floors).map((floor) => ({ ...floor, kind: "floor" as const })),
  ];
  const axis = axisOf(rows.flatMap((row) => [row.psnrDb, ...(row.perImagePsnrDb ?? [])]));
  return html`<section aria-labelledby="floors">
<h2 id="floors">Against blank and average pictures</h2>
<p>A floor is what a picture scores that shows no single private image. Only what lies above the floors tells of leakage.
Large marks are means, small ones single images.
${floors.mismatchedGradient === undefined && "The mismatched-gradient floor was not measured in this run."}
${floors.batchMean === undefined && "A batch of one has no batch-mean floor: its mean is the private image."}</p>
<table class="floors">
<thead><tr><th scope="col">Image</th><th scope="col" class="track"><span class="hidden">PSNR on a scale in dB</span><span class="scale" aria-hidden="true">${axis.ticks.map(
    (tick) => html`<span style="left:${axis.place(tick)}%">${tick}</span>`,
  )}</span></th><th scope="col" class="number">PSNR</th><th scope="col" class="number">SSIM</th></tr></thead>
<tbody>${rows.map((row) => rowMarkup(row, axis))}</tbody>
</table>
</section>`;
}

interface Row {
  readonly kind: "result" | "reuse" | "floor";
  readonly name: string;
  readonly meaning: string;
  readonly psnrDb: number;
  readonly ssim: number | null;
  readonly perImagePsnrDb: readonly number[] | undefined;
}

interface Axis {
  readonly ticks: readonly number[];
  /** Where a value lies, in per cent of the axis. */
  readonly place: (value: number) => number;
}

function rowMarkup({ kind, name, meaning, psnrDb, ssim, perImagePsnrDb }: Row, { ticks, place }: Axis): Html {
  const marks = [
    ticks.map((tick) => html`<i style="left:${place(tick)}%"></i>`),
    perImagePsnrDb?.map((value) => html`<em style="left:${place(value)}%"></em>`),
    html`<b style="left:${place(psnrDb)}%"></b>`,
  ];
  return html`<tr class="${kind}"><th scope="row">${name}<small>${meaning}</small></th>
<td class="track" aria-hidden="true"><span class="lane">${marks}</span></td>
<td class="number">${dbText(psnrDb)}</td><td class="number">${ssimText(ssim)}</td></tr>`;
}

/** Limits around all values at half ticks, with 2 to 6 ticks. */
function axisOf(values: readonly number[]): Axis {
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const step = highest - lowest > 50 ? 20 : highest - lowest > 22 ? 10 : 5; // dB; our choice: round steps
  const half = step / 2;
  const low = Math.max(0, Math.floor((lowest - 0.5) / half) * half); // half a dB of air, so that no mark sits on the edge
  const high = Math.ceil((highest + 0.5) / half) * half;
  const first = Math.ceil(low / step) * step;
  return {
    ticks: Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, i) => first + i * step),
    place: (value) => Math.round(((value - low) / (high - low)) * 10000) / 100,
  };
}
