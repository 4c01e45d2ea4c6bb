import type { Tensor, Tensors } from "../tensor/index.ts";

/** A hash of texts, tensors and groups of tensors in their order: SHA-256 in hex. Equal parts give equal text everywhere. */
export async function fingerprint(...parts: readonly (string | Tensor | Tensors)[]): Promise<string> {
  const hashes: string[] = [];
  for (const part of parts) {
    if (typeof part === "string") hashes.push(await sha256(new TextEncoder().encode(part)));
    else if (isTensor(part)) hashes.push(await hashTensor(part));
    else for (const [name, t] of Object.entries(part).sort(byName)) hashes.push(name, await hashTensor(t));
  }
  return sha256(new TextEncoder().encode(JSON.stringify(hashes)));
}

/** JSON with the entries of every object in one order, whatever order they were written in. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(byName))
      : inner,
  );
}

async function hashTensor({ dtype, shape, data }: Tensor): Promise<string> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return `${dtype}[${shape.join(",")}]${await sha256(bytes)}`;
}

/** SHA-256 of bytes, in hex. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isTensor(part: Tensor | Tensors): part is Tensor {
  return ArrayBuffer.isView((part as Tensor).data);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
