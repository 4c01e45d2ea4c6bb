/**
 * ‖dW − δ·xᵀ‖/‖dW‖: how far a linear layer's weight gradient is from that of one image; 0 where dW is 0.
 *
 * weight [O,I] row by row, delta [O], x [I].
 */
export function outerResidual(weight: Float32Array, delta: ArrayLike<number>, x: Float64Array): number {
  let [off, total] = [0, 0];
  for (let j = 0; j < delta.length; j++) {
    for (let k = 0; k < x.length; k++) {
      const dw = weight[j * x.length + k]!;
      off += (dw - delta[j]! * x[k]!) ** 2;
      total += dw * dw;
    }
  }
  return total === 0 ? 0 : Math.sqrt(off / total);
}
