import { type ClientUpdate, clientUpdate, type GradientStep, weightedMean } from "../fl/index.ts";
import { fail, type Key, split } from "../util/index.ts";
import { knownLink, type Link } from "./catalogue.ts";
import { exampleGradients } from "./example-gradients.ts";
import { type Defence, STAGES, type Stage, type Update } from "./types.ts";

/** One round of clients that defend themselves; the same step and key give the same result. */
export type DefendedStep = (step: GradientStep, key: Key) => Promise<ClientUpdate>;

/**
 * The client's step with defences, in the order they are named: `chain(a, b)` applies a, then b.
 *
 * Without a defence it is `clientUpdate`. Where a defence asks for U clients, the batch of B images is shared among
 * them, B/U consecutive images each, and every client applies the defences before it to its own part: the server's task is
 * then the whole batch. What the result holds is only what was sent, the defended update, and how it was defended.
 * Throws FedleakError when a defence stands before one of an earlier stage, or U does not divide B.
 */
export function chain(...links: readonly Link[]): DefendedStep {
  checkOrder(links);
  return async (step, key) => {
    const sent: ClientUpdate[] = [];
    for (const [u, part] of shared(step, clientsOf(links)).entries()) {
      sent.push(await oneClient(part, links, split(key, u)));
    }
    const common = split(key, "clients");
    let updates: readonly Update[] = sent.map(({ update }) => update);
    links.forEach(({ defence, settings }, i) => {
      if (defence.stage === "clients") updates = defence.apply(updates, { settings, step, key: split(common, i) });
    });
    const known = links.length > 0 && { defences: links.map(knownLink) };
    return { ...together(sent), update: updates[0]!, ...known };
  };
}

/** A client's own step: everything but what concerns the others. */
async function oneClient(step: GradientStep, links: readonly Link[], key: Key): Promise<ClientUpdate> {
  const scene = ({ settings }: Link, i: number) => ({ settings, step, key: split(key, i) });
  let own = step;
  for (const [i, link] of links.entries()) {
    if (link.defence.stage !== "batch") continue;
    own = { ...own, ...(await link.defence.apply({ images: own.images, labels: own.labels }, scene(link, i))) };
  }
  const each = links.flatMap(({ defence, settings }) =>
    defence.stage === "example-gradient" ? [(gradient: Update) => defence.each(gradient, settings)] : [],
  );
  const sent = each.length === 0 ? await clientUpdate(own) : await exampleGradients(own, each);
  let update = sent.update;
  for (const [i, link] of links.entries()) {
    const { defence } = link;
    if (defence.stage !== "example-gradient" && defence.stage !== "update") continue;
    update = await defence.apply(update, { ...scene(link, i), step: own });
  }
  return { ...sent, update };
}

/** Of several clients: all their images and labels, and the mean of what they know, which is never more than the server sees. */
function together(sent: readonly ClientUpdate[]): ClientUpdate {
  const first = sent[0]!;
  if (sent.length === 1) return first;
  const meanOf = (pick: (one: ClientUpdate) => Update) =>
    weightedMean(sent.map((one) => ({ tensors: pick(one), weight: 1 })));
  const names = Object.keys(first.statistics);
  const means = meanOf(({ statistics }) => Object.fromEntries(names.map((n) => [n, statistics[n]!.mean])));
  const variances = meanOf(({ statistics }) => Object.fromEntries(names.map((n) => [n, statistics[n]!.variance])));
  return {
    ...first,
    clients: sent.length,
    batchSize: sent.reduce((total, { batchSize }) => total + batchSize, 0),
    labels: sent.flatMap(({ labels }) => labels),
    statistics: Object.fromEntries(names.map((n) => [n, { mean: means[n]!, variance: variances[n]! }])),
    buffers: meanOf(({ buffers }) => buffers),
    loss: sent.reduce((total, { loss }) => total + loss, 0) / sent.length,
  };
}

function clientsOf(links: readonly Link[]): number {
  return Math.max(1, ...links.map(({ defence: d, settings }) => (d.stage === "clients" ? d.clients(settings) : 1)));
}

/** The batch in `clients` consecutive parts of equal size. */
function shared(step: GradientStep, clients: number): GradientStep[] {
  const { images, labels } = step;
  if (clients === 1) return [step];
  if (labels.length % clients !== 0) {
    fail({
      who: "defences",
      must: `the batch is shared among ${clients} clients, so its size must be a multiple of ${clients}`,
      got: `${labels.length}`,
      remedy: `The batch holds the images of all clients: for 4 images a client, take a batch of ${4 * clients}.`,
    });
  }
  const count = labels.length / clients;
  const size = images.data.length / clients;
  return Array.from({ length: clients }, (_, u) => ({
    ...step,
    images: {
      ...images,
      shape: [count, ...images.shape.slice(1)],
      data: images.data.slice(u * size, (u + 1) * size),
    },
    labels: labels.slice(u * count, (u + 1) * count),
  }));
}

const ORDER = Object.keys(STAGES) as Stage[];

function checkOrder(links: readonly Link[]): void {
  const rank = ({ stage }: Defence) => ORDER.indexOf(stage);
  links.forEach(({ defence }, i) => {
    const before = links.slice(0, i).find((other) => rank(other.defence) > rank(defence))?.defence;
    if (!before) return;
    fail({
      who: "defences",
      must: `${defence.name} ${STAGES[defence.stage]}, so it must stand before ${before.name}, which ${STAGES[before.stage]}`,
      got: links.map(({ defence: { name } }) => name).join(", "),
      remedy: `Name ${defence.name} first.`,
    });
  });
}
