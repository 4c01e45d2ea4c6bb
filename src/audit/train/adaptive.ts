/** What adaptive-dp remembers between the rounds of a training, as a tensor of its checkpoint: [decays, validation losses…]. */
import { adapted, type Link } from "../../defences/index.ts";
import { float32, type Tensors } from "../../tensor/index.ts";

const MEMORY = "defence.adaptive-dp";

/** The memory before the first round; nothing where no client defends itself by adaptive-dp. */
export function adaptiveMemory(links: readonly Link[]): Tensors<"float32"> {
  return links.some(isAdaptive) ? { [MEMORY]: float32([1], [0]) } : {};
}

/** The links of the next round: the noise has shrunk as often as the memory says. */
export function linksAt(links: readonly Link[], tensors: Tensors<"float32">): readonly Link[] {
  const memory = tensors[MEMORY];
  if (memory === undefined) return links;
  const shrunk = memory.data[0]!;
  return links.map((link) =>
    isAdaptive(link)
      ? { ...link, settings: { ...link.settings, decays: Number(link.settings.decays) + shrunk } }
      : link,
  );
}

/**
 * The memory after a round that ended with a loss on public images; nothing where there is none.
 *
 * The noise shrinks by the rule of `adapted`. The clip stays: its rule takes the length of the last noised gradient, and
 * the factor that its authors used is lost; with a factor of ours the clip feeds on its own noise, σ√d/B times as long for d parameters,
 * or shrinks to nothing (our choice).
 */
export async function afterRound(
  tensors: Tensors<"float32">,
  validationLoss: () => Promise<number>,
): Promise<Tensors<"float32">> {
  const memory = tensors[MEMORY];
  if (memory === undefined) return {};
  const [decays = 0, ...losses] = memory.data;
  const next = adapted({ norm: 0, decays, losses }, 0, Math.fround(await validationLoss()));
  return { [MEMORY]: float32([1 + next.losses.length], [next.decays, ...next.losses]) };
}

function isAdaptive({ defence }: Link): boolean {
  return defence.name === "adaptive-dp";
}
