export * from "./browser.ts";
export { type DecodeOptions, decodeImage } from "./decode-image.ts";
export { type EmbeddedOptions, embeddedImages } from "./embedded.ts";
export { encodePng, type GridOptions, gridPng } from "./encode-png.ts";
export { readCifar10, readCifar100, readMnist, readTable } from "./files.ts";
export { type ImageListing, listImageFolder, readImageFolder, readImages } from "./image-folder.ts";
export { readBytes, readUnpacked } from "./read-bytes.ts";
