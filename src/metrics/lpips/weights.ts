import { input } from "../../graph/index.ts";
import { float32, numbers, type Shape, sameShape, shapeText, type Tensors } from "../../tensor/index.ts";
import { closest, fail } from "../../util/index.ts";
import { BACKBONES, type Backbone } from "./backbones.ts";

/** A backbone with its numbers, and one weight per channel of each compared layer. */
export interface LpipsWeights {
  readonly backbone: Backbone;
  /** By torchvision's names, and `lin0.model.1.weight` … of shape [1,C_l,1,1]. */
  readonly tensors: Tensors<"float32">;
}

/** A tensor that LPIPS needs. */
export interface LpipsTensor {
  readonly name: string;
  readonly shape: Shape;
}

/**
 * LPIPS weights from the tensors of files: a torchvision backbone and the linear weights of the authors' release.
 *
 * The backbone is told by its tensors. Names are torchvision's (`features.0.weight`) and the release's
 * (`lin0.model.1.weight`), or those of the whole network as the release saves it (`net.slice1.0.weight`). What LPIPS does
 * not use is passed over: the classifier, the release's constants and its second names for the linear weights.
 * Any type of number is rounded to float32. `file` is only named in errors.
 * Throws FedleakError that tells all tensors that are missing, left over or of another shape, or a weight that is not finite.
 */
export function lpipsWeights(tensors: Tensors, file: string, backbones: readonly Backbone[] = BACKBONES): LpipsWeights {
  const named = Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => !UNUSED.test(name))
      .map(([name, tensor]) => [name.replace(SLICED, "features."), tensor]),
  );
  const backbone = backbones.find(({ mark }) => Object.hasOwn(named, mark)) ?? unknownBackbone(named, file, backbones);
  const wanted = lpipsTensors(backbone);
  complain(named, wanted, `${backbone.name} in ${file}`);
  const values = Object.fromEntries(
    wanted.map(({ name, shape }) => [name, float32(shape, numbers(named[name]!))] as const),
  );
  const broken = Object.entries(values).find(([, { data }]) => !data.every(Number.isFinite));
  if (broken) {
    fail({
      who: `lpips weights ${file}`,
      must: "every number must be finite in float32",
      got: `NaN or infinity in ${broken[0]}`,
      remedy: "Fetch the file again.",
    });
  }
  return { backbone, tensors: values };
}

/** Every tensor that LPIPS with this backbone needs, the linear weights last. */
export function lpipsTensors({ taps }: Backbone): LpipsTensor[] {
  const asked: LpipsTensor[] = [];
  const ask = (name: string, shape: Shape) => {
    asked.push({ name, shape });
    return input(name, shape);
  };
  const layers = taps(ask, input("x", [1, 3, SIDE, SIDE]));
  return [...asked, ...layers.map((layer, l) => ({ name: linName(l), shape: [1, layer.shape[1]!, 1, 1] }))];
}

/** The release's name of the linear weight of compared layer `l`. */
export function linName(l: number): string {
  return `lin${l}.model.1.weight`;
}

const SIDE = 64; // px; any size that the network takes
const UNUSED = /^(classifier\.|lins\.|scaling_layer\.)/;
const SLICED = /^net\.slice\d+\./; // within a slice the release keeps torchvision's index
const SHOWN = 4; // names told of each kind; our choice

function unknownBackbone(tensors: Tensors, file: string, backbones: readonly Backbone[]): never {
  const names = Object.keys(tensors);
  return fail({
    who: `lpips weights ${file}`,
    must: `the tensors must be those of ${backbones.map(({ name, mark }) => `${name} (${mark} …)`).join(" or ")}`,
    got: names.length === 0 ? "no tensor" : some(names),
    remedy: "Pass the backbone's state dict of torchvision and the linear weights of LPIPS, one file or two.",
  });
}

function complain(tensors: Tensors, wanted: readonly LpipsTensor[], what: string): void {
  const names = wanted.map(({ name }) => name);
  const missing = names.filter((name) => !Object.hasOwn(tensors, name));
  const extra = Object.keys(tensors).filter((name) => !names.includes(name));
  const misshapen = wanted
    .filter(({ name, shape }) => Object.hasOwn(tensors, name) && !sameShape(tensors[name]!.shape, shape))
    .map(({ name, shape }) => `${name} ${shapeText(tensors[name]!.shape)} instead of ${shapeText(shape)}`);
  const told = (
    [
      ["missing", missing],
      ["not of LPIPS", extra],
      ["of another shape:", misshapen],
    ] as const
  )
    .filter(([, found]) => found.length > 0)
    .map(([kind, found]) => `${kind} ${some(found)}`);
  if (told.length === 0) return;
  const slip = extra[0] === undefined ? undefined : closest(extra[0], missing);
  fail({
    who: `lpips weights ${what}`,
    must: `the files together must hold the ${wanted.length} tensors of LPIPS`,
    got: told.join("; "),
    remedy: missing.some((name) => name.startsWith("lin"))
      ? "The linear weights (lin0.model.1.weight …) are a file of their own in the release: pass it too."
      : slip === undefined
        ? "Pass the backbone of torchvision and the linear weights of LPIPS for the same network."
        : `Should "${extra[0]}" be "${slip}"?`,
  });
}

function some(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return names.slice(0, SHOWN).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
