import { x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { fail } from "../util/index.ts";
import type { Random } from "./random.ts";

/** An X25519 key pair, 32 bytes each. */
export interface KeyPair {
  readonly secret: Uint8Array;
  readonly public: Uint8Array;
}

/** A fresh key pair. */
export function keyPair(random: Random): KeyPair {
  return pairOf(random(32));
}

/** The pair of a secret key. */
export function pairOf(secret: Uint8Array): KeyPair {
  return { secret, public: x25519.getPublicKey(secret) };
}

/**
 * The 32 bytes that two clients agree on for a purpose; each computes them from its own secret key and the other's public one.
 *
 * HKDF-SHA256(X25519(secret, public), info = purpose). Source: RFC 7748, section 6.1; RFC 5869. Throws FedleakError at a
 * public key that is none, or of small order.
 */
export function agreedKey(secret: Uint8Array, other: Uint8Array, purpose: string): Uint8Array {
  return hkdf(sha256, sharedSecret(secret, other), undefined, new TextEncoder().encode(`fedleak ${purpose}`), 32);
}

function sharedSecret(secret: Uint8Array, other: Uint8Array): Uint8Array {
  try {
    return x25519.getSharedSecret(secret, other);
  } catch (cause) {
    return fail({
      who: "key agreement",
      must: "a public key must be a point of X25519 that is not of small order",
      got: `${other.length} bytes that are none`,
      remedy: "Leave the client out of the round.",
      cause,
    });
  }
}
