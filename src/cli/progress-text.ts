import type { IterationEvent } from "../audit/index.ts";

/** `150/300  2.7 it/s  ETA 0:56  loss 0.0123  cosine 0.998124`; the PSNR only when somebody asked to peek. */
export function measured(event: IterationEvent, peekPsnrDb: number | undefined): string {
  const { iteration, iterations, loss, cosine, since } = event;
  const perSecond = (iteration - since.iteration) / (event.seconds - since.seconds); // of this process
  return [
    `${iteration}/${iterations}`,
    rateText(perSecond),
    `ETA ${clock((iterations - iteration) / perSecond)}`,
    `loss ${loss.toPrecision(3)}`,
    `cosine ${cosine.toFixed(6)}`,
    ...(peekPsnrDb === undefined ? [] : [`PSNR ${peekPsnrDb.toFixed(2)} dB`]),
  ].join("  ");
}

/** `413 it/s`, `2.7 it/s`, `0.041 it/s` */
export function rateText(perSecond: number): string {
  return `${perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toPrecision(2)} it/s`;
}

/** `0:56`, `12:03`, `2:05:00`; a dash when nobody can tell. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
