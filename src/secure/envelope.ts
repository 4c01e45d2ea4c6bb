import { fail } from "../util/index.ts";

/**
 * Encrypts a text under a key that is used once: AES-256-GCM, so whoever changes it is found out.
 *
 * The nonce is zero, which is sound because each key, agreed between two clients for one direction of one round, seals one text.
 */
export async function seal(key: Uint8Array, text: Uint8Array): Promise<Uint8Array> {
  const imported = await importKey(key, "encrypt");
  return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: NONCE }, imported, text as Bytes));
}

/** The text of a sealed envelope; throws FedleakError when it was changed or sealed under another key. */
export async function unseal(key: Uint8Array, sealed: Uint8Array): Promise<Uint8Array> {
  const imported = await importKey(key, "decrypt");
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: NONCE }, imported, sealed as Bytes));
  } catch (cause) {
    return fail({
      who: "envelope",
      must: "it must be as its sender sealed it for this client",
      got: `${sealed.length} bytes that do not decrypt`,
      remedy: "Abort the round: somebody changed a message.",
      cause,
    });
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

const NONCE = new Uint8Array(12);

function importKey(key: Uint8Array, use: "encrypt" | "decrypt"): ReturnType<typeof crypto.subtle.importKey> {
  return crypto.subtle.importKey("raw", key as Bytes, "AES-GCM", false, [use]);
}
