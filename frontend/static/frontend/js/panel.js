// The panel beside the pictures: prompt, layers of the photo, measured facts, defects.

import { $, capital, cutout, icon, make } from "./dom.js";
import { describe, KINDS } from "./prompts.js";
import { frontToBack } from "./queue.js";

const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

export function drawPromptWords(item, shown, onpick) {
  $("#prompt-words").textContent = describe(shown);
  $("#prompt-ambiguous").hidden = !shown.is_ambiguous;
  $("#prompt-kinds").replaceChildren(...item.prompts.map((prompt) => {
    const pressed = String(sameContent(prompt, shown));
    return make("button", { type: "button", class: "tag", "aria-pressed": pressed, title: describe(prompt), onclick: () => onpick(prompt) }, KINDS[prompt.kind]);
  }));
}

const sameContent = (one, other) => JSON.stringify(one) === JSON.stringify(other);

const MARKS = { accepted: ["check", "accepted"], rejected: ["x", "rejected"] };

export function drawStrip(item, bench, actions) {
  const layers = frontToBack(item);
  const size = [item.source.width, item.source.height];
  $("#strip-count").textContent = `${layers.filter(({ status }) => status in MARKS).length} of ${layers.length} judged`;
  $("#strip").replaceChildren(...layers.map((layer, index) => {
    const [symbol, word] = MARKS[layer.status] ?? [null, "not judged by you"];
    const place = layer.kind === "background" ? "background" : index === 0 ? "in front" : `${index + 1} from the front`;
    const isHidden = bench.hidden.has(layer.id);
    const classes = [!bench.isOn(layer.id) && "off", layer.id === bench.picked && "picked"].filter(Boolean).join(" ");
    return make("li", { "aria-current": layer.id === item.layer.id && "true", class: classes, onclick: () => actions.pick(layer.id) },
      make("span", { class: "thumb check-light" }, cutout(layer.thumbnail_url, layer.box, size)),
      make("span", {}, make("b", {}, capital(layer.label)), make("small", {}, place)),
      make("span", { class: "acts" },
        make("button", { type: "button", title: "Only this", "aria-label": `Show only ${layer.label}`, "aria-pressed": String(bench.solo === layer.id), onclick: inside(() => actions.solo(layer.id)) }, icon("solo", "small")),
        make("button", { type: "button", title: isHidden ? "Show" : "Hide", "aria-label": `${isHidden ? "Show" : "Hide"} ${layer.label}`, onclick: inside(() => actions.hide(layer.id)) }, icon(isHidden ? "eyeoff" : "eye", "small"))),
      make("span", { class: `mark ${word}`, title: word, role: "img", "aria-label": word }, symbol && icon(symbol)));
  }));
}

/** A button in a row that can be clicked itself. */
const inside = (act) => (event) => {
  event.stopPropagation();
  act();
};

export function drawFacts(item) {
  const { layer, source, judgement } = item;
  const facts = [
    ["Covers", `${percent(layer.area_share)} of the photo`],
    ["Soft edge", `${percent(layer.soft_share)} of the layer`],
    ["Hidden part filled", layer.hidden_share ? percent(layer.hidden_share) : "none"],
    ["Judgement", `${judgement.number} of ${judgement.of}`],
  ];
  $("#facts").replaceChildren(...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  $("#credit").textContent = [`${source.width} × ${source.height}`, source.credit, source.licence].filter(Boolean).join(" · ");
}

export function drawDefects(kinds, pins, armed, onpick) {
  $("#defects").replaceChildren(...kinds.map(({ kind, label }, index) => {
    const isOn = pins.some((pin) => pin.kind === kind);
    return make("button", { type: "button", id: `defect-${index + 1}`, "aria-pressed": String(isOn), class: armed === kind ? "armed" : "", onclick: () => onpick(kind) },
      make("kbd", {}, String(index + 1)), label);
  }));
}

const COLOURS = { accept: "good", reject: "bad" };

export function drawTrail(history, onpick) {
  $("#trail").replaceChildren(...history.slice(-6).map((made) =>
    make("button", { type: "button", class: `check-dark ${COLOURS[made.decision] ?? ""}`, title: `${capital(made.label)}: ${made.decision}. Take it back`, "aria-label": `Take back: ${made.label}, ${made.decision}`, onclick: () => onpick(made) },
      cutout(made.thumbnailUrl, made.box, made.size))));
}
