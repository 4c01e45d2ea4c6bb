/** The style sheet of the page of `fedleak rate`: light and dark by the reader's preference. */
export const RATE_STYLE = `
:root { color-scheme: light dark; --page: #f7f7f4; --card: #ffffff; --ink: #1b1f23; --muted: #596069; --line: #deded8; --result: #0b6b68; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171a; --card: #1c2024; --ink: #e7e9eb; --muted: #a0a8b1; --line: #32383e; --result: #52c7bf; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; padding: 32px 24px 48px; max-width: 960px; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
h1 { margin: 8px 0 12px; font-size: 30px; line-height: 1.2; letter-spacing: -0.015em; }
p { margin: 0 0 8px; max-width: 44em; }
.brand { font-weight: 600; }
.brand span { margin-left: 12px; color: var(--muted); font-weight: 400; }
#progress { margin: 28px 0 12px; color: var(--muted); }
#question { display: grid; grid-template-columns: minmax(160px, 1fr) 2fr; gap: 24px; align-items: start; }
figure { margin: 0; }
figcaption { color: var(--muted); font-size: 14px; }
img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; border-radius: 6px; background: var(--line); }
#rebuilt { padding: 8px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
#candidates { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 12px; }
button { padding: 8px 14px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); color: inherit; font: inherit; cursor: pointer; }
button:hover:not(:disabled), button:focus-visible, button[aria-pressed="true"] { border-color: var(--result); outline: 2px solid var(--result); outline-offset: -1px; }
button:disabled { color: var(--muted); cursor: default; }
#candidates button { padding: 8px; text-align: left; }
#candidates button span { color: var(--muted); font-size: 14px; }
kbd { padding: 0 6px; border: 1px solid var(--line); border-radius: 4px; color: var(--muted); font: 13px/1.5 ui-monospace, monospace; }
.actions { display: flex; gap: 12px; margin-top: 20px; }
form { margin-top: 24px; padding: 16px 20px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
form p { margin: 12px 0 0; color: var(--muted); }
input { margin: 0 12px 0 8px; padding: 8px 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--page); color: inherit; font: inherit; }
footer { margin-top: 48px; padding-top: 12px; border-top: 1px solid var(--line); color: var(--muted); font-size: 14px; }
@media (max-width: 640px) {
  #question { grid-template-columns: 1fr; }
  #rebuilt { justify-self: center; width: min(240px, 100%); }
  #candidates { grid-template-columns: repeat(auto-fill, minmax(110px, 1fr)); }
}
`;
