import { fail } from "../util/index.ts";

/** Only pictures that carry their own data may enter a page: it must not ask anybody for anything. Throws FedleakError. */
export function checkDataUrls(urls: readonly string[]): void {
  for (const url of urls) {
    if (!/^data:image\/(png|jpeg|webp);base64,[A-Za-z0-9+/]+=*$/.test(url)) {
      fail({
        who: "report",
        must: "pictures must be data URLs of PNG, JPEG or WebP in base64",
        got: `"${url.slice(0, 40)}"`, // 40: enough to recognise it
        remedy: "Encode the picture first.",
      });
    }
  }
}
