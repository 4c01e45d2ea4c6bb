import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readHubFile } from "../../src/audit/hub-cache.ts";
import { openWeights } from "../../src/audit/open-weights.ts";
import { fittedWeights, weightsFrom } from "../../src/audit/weights.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise, type Model } from "../../src/nn/index.ts";
import { exportOnnx } from "../../src/onnx/index.ts";
import { float32, type Tensors, writeNpz, writeSafetensors } from "../../src/tensor/index.ts";
import { key, split } from "../../src/util/index.ts";
import { freshFolder } from "../cli/fedleak.ts";

const small = (name: string, options: object = {}): Model =>
  buildModel(name, { inputShape: [3, 32, 32], classes: 4, ...options });
const drawn = (model: Model, seed = 3): Tensors => {
  const { params, buffers } = initialise(model, key(seed));
  return { ...params, ...buffers };
};
/** The tensors under other names: what `rename` gives for a name. */
const under = (tensors: Tensors, rename: (name: string) => string): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [rename(name), t]));
/** Each rule of a list, in its order. */
const by = (rules: readonly (readonly [RegExp, string])[]) => (name: string) =>
  rules.reduce((at, [from, to]) => at.replace(from, to), name);

const resnet = small("resnet10", { width: 2 });
const lenet = small("lenet-sigmoid");

describe("a last layer of another number of classes", () => {
  const many = drawn(small("resnet10", { width: 2, classes: 7 }));

  test("is replaced by one that is drawn from the seed, as in a model drawn as a whole", () => {
    const { weights, notes } = fittedWeights(many, resnet, "f", key(8));
    const fresh = initialise(resnet, key(8)).params;
    expect(weights.params["fc.weight"]).toEqual(fresh["fc.weight"]);
    expect(weights.params["fc.bias"]).toEqual(fresh["fc.bias"]);
    expect(weights.params["conv1.weight"]!.data).toEqual(many["conv1.weight"]!.data);
    expect(notes).toEqual(["its head of 7 classes replaced by one of 4, drawn from the seed"]);
    expect(fittedWeights(drawn(resnet), resnet, "f", key(8))).toEqual({
      weights: weightsFrom(drawn(resnet), resnet, "f"),
      notes: [],
    });
  });

  test("is not where nothing may be drawn, where only a part of it is another, or where more is amiss", () => {
    expect(() => weightsFrom(many, resnet, "f")).toThrow(
      /of another shape: fc\.weight \[7,16\] instead of \[4,16\], fc\.bias/,
    );
    const half = { ...drawn(resnet), "fc.bias": many["fc.bias"]! };
    expect(() => fittedWeights(half, resnet, "f", key(8))).toThrow(/of another shape: fc\.bias \[7\] instead of \[4\]/);
    const { "bn1.bias": _, ...missing } = many;
    expect(() => fittedWeights(missing, resnet, "f", key(8))).toThrow(/got missing bn1\.bias\./);
    const wide = drawn(small("resnet10", { width: 3, classes: 7 }));
    expect(() => fittedWeights(wide, resnet, "f", key(8))).toThrow(/conv1\.weight \[3,3,3,3\] instead of \[2,3,3,3\]/);
  });
});

const TIMM_VIT: readonly (readonly [RegExp, string])[] = [
  [/^class_token$/, "cls_token"],
  [/^encoder\.pos_embedding$/, "pos_embed"],
  [/^conv_proj/, "patch_embed.proj"],
  [/^encoder\.ln\./, "norm."],
  [/^heads\.head/, "head"],
  [/^encoder\.layers\.encoder_layer_/, "blocks."],
  [/\.ln_/, ".norm"],
  [/self_attention\.in_proj_/, "attn.qkv."],
  [/self_attention\.out_proj/, "attn.proj"],
  [/mlp\.0/, "mlp.fc1"],
  [/mlp\.3/, "mlp.fc2"],
];

/** timm's MobileNetV2, block by block: stage, block and the layers' names. */
function timmMobile(name: string): string {
  const found = /^features\.(\d+)\.(?:conv\.)?(.*)\.(\w+)$/.exec(name);
  if (!found) return name.replace("classifier.1", "classifier");
  const [index, inner, last] = [Number(found[1]), found[2]!, found[3]!];
  if (index === 0) return `${inner === "0" ? "conv_stem" : "bn1"}.${last}`;
  if (index === 18) return `${inner === "0" ? "conv_head" : "bn2"}.${last}`;
  const stages = [[1], [2, 3], [4, 5, 6], [7, 8, 9, 10], [11, 12, 13], [14, 15, 16], [17]];
  const stage = stages.findIndex((list) => list.includes(index));
  const block = stages[stage]!.indexOf(index);
  const layers: Record<string, string> =
    stage === 0
      ? { "0.0": "conv_dw", "0.1": "bn1", "1": "conv_pw", "2": "bn2" }
      : { "0.0": "conv_pw", "0.1": "bn1", "1.0": "conv_dw", "1.1": "bn2", "2": "conv_pwl", "3": "bn3" };
  return `blocks.${stage}.${block}.${layers[inner]}.${last}`;
}

describe("names of others", () => {
  test.each<[string, Model, (name: string) => string]>([
    ["timm's ViT", small("vit-tiny", { patch: 8, width: 6, heads: 2, hidden: 4, depth: 2 }), by(TIMM_VIT)],
    ["timm's MobileNetV2", small("mobilenet-v2", { widthMultiplier: 0.1 }), timmMobile],
    ["timm's ResNets for small images", resnet, by([[/shortcut/, "downsample"]])],
    [
      "torchvision's first DenseNets",
      small("densenet121", { width: 4, growth: 2, blocks: [1, 1, 1, 1] }),
      by([[/(norm|conv)([12])\.(?=[a-z_]+$)/, "$1.$2."]]),
    ],
    [
      "torchvision's first ViTs",
      small("vit-tiny", { patch: 8, width: 6, heads: 2, hidden: 4, depth: 2 }),
      by([
        [/mlp\.0/, "mlp.linear_1"],
        [/mlp\.3/, "mlp.linear_2"],
      ]),
    ],
    ["saved in parallel", resnet, (name) => `module.${name}`],
    ["another name of the head", resnet, by([[/^fc/, "linear"]])],
  ])("%s are read", (_, model, rename) => {
    const own = drawn(model);
    const theirs = under(own, rename);
    const moved = Object.keys(own).filter((name) => rename(name) !== name);
    expect(moved.length).toBeGreaterThan(1);
    const { weights, notes } = fittedWeights(theirs, model, "f");
    expect({ ...weights.params, ...weights.buffers }).toEqual(own);
    expect(notes).toEqual([
      expect.stringMatching(new RegExp(`^${moved.length} of its tensors go by other names here`)),
    ]);
  });

  test("with another head too; a tensor that is there twice is left over", () => {
    const theirs = under(drawn(small("resnet10", { width: 2, classes: 9 })), (name) => `module.${name}`);
    const { notes } = fittedWeights(theirs, resnet, "f", key(1));
    expect(notes.map((note) => note.split(" ")[0])).toEqual(["62", "its"]);
    const twice = { ...drawn(resnet), "module.fc.bias": float32([4], [1, 2, 3, 4]) };
    expect(() => weightsFrom(twice, resnet, "f")).toThrow(/not of this model module\.fc\.bias/);
  });
});

describe("files", () => {
  const folder = freshFolder();
  const tensors = drawn(lenet);
  const path = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };

  test("safetensors, npz and ONNX hold the same weights", async () => {
    const { params, buffers } = initialise(lenet, key(3));
    const places = [
      path("w.safetensors", writeSafetensors(tensors)),
      path("w.npz", await writeNpz(tensors)),
      path("w.ONNX", exportOnnx(lenet, { params, buffers })),
    ];
    for (const place of places) {
      const { weights, source, notes } = await openWeights(place, lenet, key(1));
      expect(weights.params).toEqual(params);
      expect([source, notes]).toEqual([`from ${place}`, []]);
    }
    await expect(openWeights(places[1]!.replace("w.npz", "none.npz"), lenet, key(1))).rejects.toThrow(/must be a file/);
  });
});

describe("the hub", () => {
  const file = writeSafetensors(drawn(lenet));
  const asked: string[] = [];
  let server: Server;
  let hubUrl: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.url}`);
      if (!request.url!.endsWith("/somebody/net/resolve/v2/sub/w.safetensors")) {
        response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
        return;
      }
      const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "");
      const part = range ? file.subarray(Number(range[1]), Number(range[2]) + 1) : file;
      const headers = { etag: '"e"', "content-range": `bytes 0-${part.length - 1}/${file.length}` };
      response.writeHead(range ? 206 : 200, { ...headers, "content-length": part.length }).end(part);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    hubUrl = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterAll(() => {
    server.close();
  });

  const host = () => new URL(hubUrl).host.replace(":", "_"); // hubs may hold other files of one name

  test("is asked once; the file is kept, and its hash told", async () => {
    const folder = freshFolder();
    const place = "hub:somebody/net@v2/sub/w.safetensors";
    const readHub = (at: string) => readHubFile(at, { folder, hubUrl });
    const first = await openWeights(place, lenet, split(key(1), "weights"), readHub);
    const before = asked.length;
    expect(before).toBeGreaterThan(0);
    const again = await openWeights(place, lenet, key(1), readHub);
    expect(asked.length).toBe(before);
    expect(again).toEqual(first);
    expect(first.weights.params).toEqual(initialise(lenet, key(3)).params);
    const hash = createHash("sha256").update(file).digest("hex");
    expect(first.source).toBe(`from ${place} (sha256 ${hash})`);
    expect(readFileSync(join(folder, host(), "somebody/net/v2/sub/w.safetensors")).equals(Buffer.from(file))).toBe(
      true,
    );
  });

  test("what is not there, or leads elsewhere, leaves nothing behind", async () => {
    const folder = freshFolder();
    const read = (place: string) => readHubFile(place, { folder, hubUrl });
    await expect(read("hub:somebody/net@v2/none")).rejects.toThrow("must hold the file; got no such file");
    await expect(read("hub:somebody/net@v2/../../../x")).rejects.toThrow("a place on the hub must be");
    await expect(read("hub:../net/x")).rejects.toThrow("a place on the hub must be");
    expect(existsSync(join(folder, host(), "somebody"))).toBe(false);
  });
});
