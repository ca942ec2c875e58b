// What stands in place of the pictures while there is nothing to judge.

import { $, icon, make } from "./dom.js";

let timer = 0;

export function lift() {
  clearTimeout(timer);
  $("#veil").hidden = true;
  document.body.classList.remove("idle");
  setInert(false);
}

/** Grey where the pictures will be, but only after 150 ms, so that a prefetched item never flickers. */
export function showLoading() {
  clearTimeout(timer);
  timer = setTimeout(() => cover("loading", make("p", { class: "sr-only" }, "Loading")), 150);
}

/** actions: [[text, function or address], ...]; the first one gets the focus, so that Enter is enough. */
export function showMessage(symbol, title, text, actions) {
  clearTimeout(timer);
  const buttons = actions.map(([name, action], index) => {
    const look = { class: index ? "button" : "button primary" };
    return typeof action === "string" ? make("a", { ...look, href: action }, name) : make("button", { ...look, type: "button", onclick: action }, name);
  });
  cover("message", make("div", { class: "empty" }, icon(symbol), make("h2", {}, title), make("p", {}, text), make("div", { class: "row" }, buttons)));
  buttons[0]?.focus({ preventScroll: true });
}

function cover(kind, content) {
  const veil = $("#veil");
  veil.dataset.kind = kind;
  veil.replaceChildren(content);
  veil.hidden = false;
  document.body.classList.add("idle");
  setInert(kind === "message");
}

/** Nothing to judge: the tab key passes over the panel and the verbs. Not while loading, which keeps the focus. */
function setInert(isInert) {
  for (const part of document.querySelectorAll(".panel, .verbs")) part.inert = isInert;
}
