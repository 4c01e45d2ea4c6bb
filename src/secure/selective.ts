import { fail } from "../util/index.ts";

/**
 * The positions of the top share of entries by magnitude, ⌈share · d⌉ of them, ascending; of equal ones the earlier come first.
 *
 * magnitudes: [d], Σ_u |x_u| over clients; share in (0, 1]. All clients must encrypt the same positions, or their ciphertexts
 * could not be added; so no client's own magnitudes decide, and the server learns which positions are large.
 * Throws FedleakError at another share, and at a magnitude that is not finite. Source: FedLeak, section 7, for the top share; Jin et al., FedML-HE, 2023, for one mask for all clients.
 */
export function topPositions(magnitudes: Float64Array, share: number): Uint32Array {
  if (!(share > 0 && share <= 1)) {
    fail({
      who: "selective encryption",
      must: "the share must be over 0, at most 1",
      got: `${share}`,
      remedy: "Change it.",
    });
  }
  if (!magnitudes.every(Number.isFinite)) {
    fail({
      who: "selective encryption",
      must: "every magnitude must be finite",
      got: "NaN or infinity",
      remedy: "Leave out the update that holds it.",
    });
  }
  const count = Math.ceil(share * magnitudes.length);
  const least = magnitudes.slice().sort()[magnitudes.length - count] ?? Number.POSITIVE_INFINITY;
  let equal = count - magnitudes.reduce((above, value) => above + (value > least ? 1 : 0), 0); // places left for the least
  const positions = new Uint32Array(count);
  let at = 0;
  for (const [i, value] of magnitudes.entries()) {
    if (value > least || (value === least && equal-- > 0)) positions[at++] = i;
  }
  return positions;
}

/** The entries at these positions, and the rest in their order with zeros at them. */
export function parted<T extends Float32Array | Float64Array>(values: T, positions: Uint32Array) {
  const clear = values.slice() as T;
  const hidden = Float64Array.from(positions, (i) => values[i]!);
  for (const i of positions) clear[i] = 0;
  return { hidden, clear };
}

/** Puts entries back to their positions. */
export function joined(clear: Float64Array, hidden: Float64Array, positions: Uint32Array): Float64Array {
  const out = clear.slice();
  positions.forEach((i, k) => {
    out[i] = hidden[k]!;
  });
  return out;
}
