import { rm } from "node:fs/promises";
import { join } from "node:path";
import { encodePng, gridPng } from "../../../data/index.ts";
import { type Images, pairOneToOne, take } from "../../../metrics/index.ts";
import { readSafetensors, row, stack, writeSafetensors } from "../../../tensor/index.ts";
import { fail } from "../../../util/index.ts";
import { type Checkpoint, type CheckpointOwner, decodeCheckpoint, encodeCheckpoint } from "../../checkpoint.ts";
import { exists, FILES, readRunFile } from "../../run-folder.ts";
import { writeNew, writeWhole } from "../../write-file.ts";
import { type AuditRecord, checkAuditRecord, isAuditRecord, parseAuditRecord } from "./record.ts";

/** Pictures of an audit as PNG data URLs. */
export interface AuditPictures {
  /** By row, all in the order of the first one, with which the others are paired one-to-one. */
  readonly rows: Readonly<Record<string, readonly string[]>>;
  /** In the order of the truth; empty without one. */
  readonly truth: readonly string[];
}

/** Draws the report of an audit. Layer `report` has it. */
export type RenderAudit = (record: AuditRecord, pictures: AuditPictures) => string;

/** Writes the record of an audit that begins: by it the folder is its own. */
export async function writeFirstAuditRecord(folder: string, record: AuditRecord): Promise<void> {
  await writeNew(join(folder, FILES.record), textOf(record));
}

/** Writes the record of an audit into its folder, whole or not at all. */
export async function writeAuditRecord(folder: string, record: AuditRecord): Promise<void> {
  await writeWhole(join(folder, FILES.record), textOf(record));
}

function textOf(record: AuditRecord): string {
  return `${JSON.stringify(checkAuditRecord(record, FILES.record), undefined, 2)}\n`;
}

/** Whether a folder is that of an audit rather than of an attack. */
export async function isAudit(folder: string): Promise<boolean> {
  if (!(await exists(join(folder, FILES.record)))) return false;
  return isAuditRecord(new TextDecoder().decode(await readRunFile(folder, FILES.record)));
}

/** The record in an audit's folder. Throws FedleakError when there is none or it is damaged. */
export async function readAuditRecord(folder: string): Promise<AuditRecord> {
  const bytes = await readRunFile(folder, FILES.record, "Pass the folder that fedleak audit printed.");
  return parseAuditRecord(new TextDecoder().decode(bytes), join(folder, FILES.record));
}

const stateFile = (run: string) => `${run}.state.safetensors`;
const imagesFile = (run: string) => `${run}.images.safetensors`;

/** Writes a search's checkpoint. */
export async function writeSearchState(folder: string, run: string, at: Checkpoint, owner: CheckpointOwner) {
  await writeWhole(join(folder, stateFile(run)), await encodeCheckpoint(at, owner));
}

/** A search's checkpoint; undefined when it has not begun. Throws FedleakError when it is damaged or of another audit. */
export async function readSearchState(
  folder: string,
  run: string,
  owner: CheckpointOwner,
): Promise<Checkpoint | undefined> {
  const path = join(folder, stateFile(run));
  return (await exists(path)) ? decodeCheckpoint(await readRunFile(folder, stateFile(run)), path, owner) : undefined;
}

/** Writes what a search has found; its row in the record comes after. */
export async function writeFound(folder: string, run: string, images: Images): Promise<void> {
  await writeWhole(join(folder, imagesFile(run)), writeSafetensors({ images }));
}

/** What an ended search has found. Throws FedleakError when the file is missing or damaged. */
export async function readFound(folder: string, run: string): Promise<Images> {
  const path = join(folder, imagesFile(run));
  const { images } = readSafetensors(await readRunFile(folder, imagesFile(run)), path).tensors;
  if (images?.dtype === "float32") return images as Images;
  return fail({
    who: path,
    must: "it must hold the images of an ended search",
    got: images ? images.dtype : "none",
    remedy: "The file is damaged. Run the audit again.",
  });
}

/** Removes the checkpoint of a search whose row is in the record. */
export async function dropSearchState(folder: string, run: string): Promise<void> {
  await rm(join(folder, stateFile(run)), { force: true });
}

/**
 * Writes pictures, exact images and report of an audit that stands still, and its record last.
 *
 * found: images by row, the best one first; truth: the private images, where there are some.
 */
export async function writeAudited(
  folder: string,
  record: AuditRecord,
  { found, truth }: { readonly found: ReadonlyMap<string, Images>; readonly truth: Images | undefined },
  render: RenderAudit,
): Promise<void> {
  const aligned = isPicture(found) ? inOneOrder([...found]) : []; // others are kept as numbers
  if (found.size > 0) {
    const exact = Object.fromEntries([...(truth ? [["private", truth] as const] : []), ...found]);
    await writeWhole(join(folder, FILES.images), writeSafetensors(exact));
  }
  if (aligned.length > 0) {
    await writeWhole(join(folder, FILES.reconstructions), await sheet(truth ? withTruth(truth, aligned) : aligned));
  }
  const rows = Object.fromEntries(
    await Promise.all(aligned.map(async ([name, images]) => [name, await urls(images)] as const)),
  );
  await writeWhole(
    join(folder, FILES.report),
    render(record, { rows, truth: truth && aligned.length > 0 ? await urls(truth) : [] }),
  );
  await writeAuditRecord(folder, record);
}

/** Grey or in colour: what a PNG can show. */
function isPicture(found: ReadonlyMap<string, Images>): boolean {
  return [...found.values()].every(({ shape }) => shape[1] === 1 || shape[1] === 3);
}

const SHOWN_WIDTH = 96; // pixels an image is enlarged to at least, as a run's; our choice

type Named = readonly [name: string, images: Images];

/** The same image in the same place of every row, as far as it can be told: the order of the first. */
function inOneOrder(found: readonly Named[]): Named[] {
  const [first] = found;
  return found.map(([name, images]) =>
    images === first![1] ? [name, images] : [name, take(images, pairOneToOne(first![1], images))],
  );
}

/** The private images on top, each over what the first row has of it; without them where there are more than were looked for. */
function withTruth(truth: Images, found: readonly Named[]): readonly Named[] {
  const best = found[0]![1];
  if (truth.shape[0]! > best.shape[0]!) return found;
  const order = pairOneToOne(truth, best);
  const from = Array.from({ length: best.shape[0]! }, (_, i) => order.indexOf(i));
  return from.includes(-1) ? found : [["private", take(truth, from)], ...found];
}

/** A row of pictures for each search. */
async function sheet(named: readonly Named[]): Promise<Uint8Array> {
  const columns = Math.max(...named.map(([, images]) => images.shape[0]!));
  const blank = { ...row(named[0]![1], 0) };
  const white = { ...blank, data: new Float32Array(blank.data.length).fill(1) };
  const cells = named.flatMap(([name, images]) =>
    Array.from({ length: columns }, (_, i) =>
      i < images.shape[0]! ? { image: row(images, i), label: `${name} ${i}` } : { image: white, label: "" },
    ),
  );
  const scale = Math.max(1, Math.ceil(SHOWN_WIDTH / blank.shape[2]!));
  return gridPng(stack(cells.map(({ image }) => image)), { columns, scale, labels: cells.map(({ label }) => label) });
}

function urls(images: Images): Promise<string[]> {
  return Promise.all(
    Array.from({ length: images.shape[0]! }, async (_, i) => {
      const png = await encodePng(row(images, i));
      return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
    }),
  );
}
