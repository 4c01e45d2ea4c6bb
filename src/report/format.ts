/** `18.42 dB`; the space does not break. */
export function dbText(value: number): string {
  return `${fixed(value, 2)}\u00a0dB`;
}

/** `+6.21 dB`, `−0.40 dB` */
export function signedDbText(value: number): string {
  return `${value < 0 ? "" : "+"}${dbText(value)}`;
}

/** `0.612`, or a dash where SSIM is not defined. */
export function ssimText(value: number | null): string {
  return value === null ? "–" : fixed(value, 3);
}

/** Three significant digits: `0.0144`, `0.900`, `3.20e−7`; 0 is `0`. */
export function compactText(value: number): string {
  const magnitude = Math.abs(value);
  if (value === 0) return "0";
  const text = magnitude >= 1e-3 && magnitude < 1e5 ? value.toPrecision(3) : value.toExponential(2);
  return (text.includes("e+") && magnitude < 1e5 ? String(Math.round(value)) : text)
    .replace("e+", "e")
    .replaceAll("-", "−");
}

/** A number on an axis, as short as it can be: `18`, `0.05`, `1e−4`. */
export function tickText(value: number): string {
  const short = Number(value.toPrecision(3));
  const magnitude = Math.abs(short);
  const text = short === 0 || (magnitude >= 1e-3 && magnitude < 1e5) ? String(short) : short.toExponential();
  return text.replace("e+", "e").replaceAll("-", "−");
}

/** `75 %` */
export function percentText(share: number): string {
  return `${plain(share * 100)}\u00a0%`;
}

/** `12,000` */
export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

/** `41.2 s`, `12 min 3 s`, `2 h 5 min` */
export function durationText(seconds: number): string {
  if (seconds < 59.95) return `${plain(seconds)}\u00a0s`; // 59.95 would print as 60 s
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}\u00a0min ${whole % 60}\u00a0s`;
  return `${Math.floor(minutes / 60)}\u00a0h ${minutes % 60}\u00a0min`;
}

/** A count with its noun: `1 image`, `8 images`. */
export function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function fixed(value: number, digits: number): string {
  return value.toFixed(digits).replace("-", "−");
}

/** Three significant digits without an exponent or trailing zeros. */
function plain(value: number): string {
  return String(Number(value.toPrecision(3)));
}
