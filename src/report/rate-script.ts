/**
 * What the page of `fedleak rate` does in the browser: shows one question at a time, takes the choice by click or key, and
 * saves the choices as a file. Plain JavaScript; it reads the questions from the page's own JSON.
 */
export const RATE_SCRIPT = `
"use strict";
(() => {
  const { seed, candidates, sheet, originals, questions } = JSON.parse(document.getElementById("sheet").textContent);
  const choices = questions.map(() => undefined);
  let at = 0;
  const element = (id) => document.getElementById(id);

  const show = () => {
    const done = at === questions.length;
    element("question").hidden = element("unsure").hidden = done;
    element("save").hidden = !done;
    element("back").disabled = at === 0;
    element("progress").textContent = done ? "All " + questions.length + " answered." : "Question " + (at + 1) + " of " + questions.length;
    if (done) return element("rater").focus();
    element("rebuilt").querySelector("img").src = questions[at].reconstruction;
    element("unsure").setAttribute("aria-pressed", String(choices[at] === null));
    element("candidates").replaceChildren(...questions[at].candidates.map((index, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(choices[at] === place));
      button.addEventListener("click", () => choose(place));
      const image = document.createElement("img");
      image.src = originals[index];
      image.alt = "Private image " + (place + 1);
      const key = document.createElement("kbd");
      key.textContent = String(place + 1);
      button.append(image, key);
      return button;
    }));
  };

  const choose = (place) => {
    choices[at] = place;
    at += 1;
    show();
  };
  const back = () => {
    if (at === 0) return;
    at -= 1;
    show();
  };

  element("unsure").addEventListener("click", () => choose(null));
  element("back").addEventListener("click", back);
  document.addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowLeft") back();
    if (at === questions.length || !/^[0-9]$/.test(event.key)) return;
    const place = Number(event.key) - 1;
    if (place >= candidates) return;
    event.preventDefault(); // after the last answer the name is in focus: the key must not be typed into it
    choose(place < 0 ? null : place);
  });
  element("save").addEventListener("submit", (event) => {
    event.preventDefault();
    const rater = element("rater").value.trim();
    if (rater === "") return;
    const votes = { format: "fedleak-votes", version: 1, rater, seed, candidates, sheet, choices };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(votes, undefined, 2) + "\\n"], { type: "application/json" }));
    link.download = "votes-" + rater.toLowerCase().replace(/[^a-z0-9]+/g, "-") + ".json";
    link.click();
  });
  show();
})();
`;
