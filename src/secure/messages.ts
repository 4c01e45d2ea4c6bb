import type { Share } from "./shamir.ts";

/** Client to server in round 0: its public keys. The server tells all of them to everyone: the roster. */
export interface PublicKeys {
  readonly kind: "keys";
  readonly client: number;
  /** For the envelopes of round 1. */
  readonly envelopeKey: Uint8Array;
  /** For the pairwise masks. */
  readonly maskKey: Uint8Array;
}

/** Client to client through the server in round 1: shares of both of its secrets, sealed for one other client. */
export interface SealedShares {
  readonly kind: "shares";
  readonly from: number;
  readonly to: number;
  readonly sealed: Uint8Array;
}

/** Client to server in round 2: its quantised update under all of its masks, [d]. */
export interface MaskedInput {
  readonly kind: "input";
  readonly client: number;
  readonly masked: Uint32Array;
}

/** Client to server in round 4: its shares of the masking keys of those who dropped out, of the self-masks of those who did not. */
export interface Unmasking {
  readonly kind: "unmasking";
  readonly client: number;
  readonly maskKeyShares: readonly ShareOf[];
  readonly selfMaskShares: readonly ShareOf[];
}

/** A share, and whose secret it is of. */
export interface ShareOf extends Share {
  readonly of: number;
}

/** All that a server gets to see. */
export type Message = PublicKeys | SealedShares | MaskedInput | Unmasking;

/** The size of a message on a wire that packs it: its arrays, and 4 bytes for the number of each client that it names. */
export function bytesOf(message: Message): number {
  switch (message.kind) {
    case "keys":
      return ID_BYTES + message.envelopeKey.length + message.maskKey.length;
    case "shares":
      return 2 * ID_BYTES + message.sealed.length;
    case "input":
      return ID_BYTES + message.masked.byteLength;
    case "unmasking":
      return [...message.maskKeyShares, ...message.selfMaskShares].reduce(
        (sum, { value }) => sum + ID_BYTES + value.length, // the holder is the sender
        ID_BYTES,
      );
  }
}

/** The size of a list of clients. */
export function listBytes(clients: readonly number[]): number {
  return ID_BYTES * clients.length;
}

const ID_BYTES = 4;
