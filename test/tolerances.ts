/** The tolerances of the op cases, each with its reason; other tests state theirs beside what they compare. */
export const TOLERANCE = {
  /** Central differences in float64 at step 1e-4·(1, 2), extrapolated: truncation and rounding are both near 1e-9. */
  finiteDifference: 1e-6,
  /** float32 rounding is 6e-8 relative, its square 4e-15; onnxruntime's polynomial exp, tanh, erf are within 1e-6. */
  elementwiseNmse: 1e-10,
  /** Sums of up to a few thousand float32 products, in another order. */
  contractionNmse: 1e-8,
  /** float32 on a GPU: exp, tanh and pow are allowed 2⁻¹⁶ to 2⁻²¹ relative by the WebGPU specification. */
  webgpuNmse: 1e-8,
} as const;
