// The panel's list of layers, front to back, and what is known about the picked one.

import { $, $$, icon, make } from "./dom.js";

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const FACTS = [["covers", "area_share"], ["behind others", "hidden_share"], ["soft edge", "soft_share"]];

/** `names` are the checkpoints asked; `act` has pick, hide, reorder(layer, by) and remove. */
export function drawLayers(stack, names, act) {
  $("#layers-count").textContent = stack.layers.length || "";
  $("#no-layers").hidden = stack.layers.length > 0;
  $("#documents").hidden = !stack.shown(names[0]).length;
  const focused = document.activeElement?.closest?.("#layers button")?.getAttribute("aria-label");
  $("#layers").replaceChildren(...stack.layers.map((layer, index) => entry(layer, layer === stack.picked, names, [
    layer.isHidden ? ["Show", "eyeoff", () => act.hide(layer)] : ["Hide", "eye", () => act.hide(layer)],
    ["Forward", "aup", () => act.reorder(layer, -1), index === 0],
    ["Backward", "adown", () => act.reorder(layer, 1), index === stack.layers.length - 1],
    ["Remove", "trash", () => act.remove(layer)],
  ], act.pick)));
  if (focused) $$("#layers button").find((button) => button.getAttribute("aria-label") === focused)?.focus();
  drawPicked(stack.picked, names);
}

function entry(layer, isPicked, names, acts, pick) {
  const classes = [isPicked && "on", layer.isHidden && "off"].filter(Boolean).join(" ");
  return make("li", { class: classes },
    make("button", { type: "button", class: "name", "aria-pressed": String(isPicked), onclick: () => pick(layer) },
      make("b", {}, layer.name), names.map((name) => stateOf(name, layer.answers[name]))),
    make("span", { class: "acts" }, acts.map(([name, symbol, press, isOff = false]) => make(
      "button", { type: "button", title: name, "aria-label": `${name} ${layer.name}`, disabled: isOff, onclick: press }, icon(symbol, "small"),
    ))));
}

function stateOf(name, answer) {
  if (answer?.state === "failed") return make("small", { class: "bad" }, `${name}: ${answer.words}`);
  if (answer?.state === "done") return make("small", {}, `${name}, ${answer.seconds.toFixed(2)} s${answer.isSaved ? ", saved" : ""}`);
  return make("small", {}, `${name} …`);
}

function drawPicked(layer, names) {
  const done = layer ? names.filter((name) => layer.answers[name]?.layer) : [];
  $("#picked").hidden = !done.length;
  if (!done.length) return;
  const isOneOfMany = done.length > 1;
  $("#picked-name").textContent = layer.name;
  $("#facts").replaceChildren(...done.flatMap((name) => FACTS.flatMap(([words, field]) => [
    make("dt", {}, isOneOfMany ? `${name} ${words}` : words), make("dd", {}, percent(layer.answers[name].layer[field])),
  ])));
  $("#downloads").replaceChildren(...done.map((name) => make(
    "a", { class: "button small", href: layer.answers[name].layer.rgba, download: `${layer.name} by ${name}.png` },
    icon("down", "small"), isOneOfMany ? `PNG by ${name}` : "PNG",
  )));
  const answer = layer.answers[names[0]];
  $("#save").hidden = answer?.state !== "done";
  $("#save button").disabled = Boolean(answer?.isSaved);
  if (document.activeElement !== $("#label")) $("#label").value = layer.label ?? (layer.prompt.kind === "background" ? "background" : layer.prompt.text);
}
