// What a layer is looked at on. The look of each is in viewer.css under [data-matte]; the browser composites.

import { make } from "./dom.js";

export const MATTES = [
  ["checker-light", "Light checker"],
  ["checker-dark", "Dark checker"],
  ["black", "Black"],
  ["white", "White"],
  ["grey", "Mid grey"],
  ["green", "Green"],
  ["magenta", "Magenta"],
  ["worst", "Worst case, the colour that shows this edge most"],
  ["ghost", "Source ghost"],
  ["alpha", "Alpha as grey"],
  ["ruby", "Rubylith"],
  ["colours", "Colours without alpha"],
];

/** Its short name, for a caption. */
export const nameOfMatte = (matte) => MATTES.find(([id]) => id === matte)[1].split(",")[0];

export function neighbourOf(matte, step) {
  const at = MATTES.findIndex(([id]) => id === matte);
  return MATTES[(at + step + MATTES.length) % MATTES.length][0];
}

/** Fills the node with one button for each matte. Returns a function that shows which one is on. */
export function mattePicker(node, onpick) {
  for (const [id, name] of MATTES) {
    if (id === "worst" || id === "ghost") node.append(make("span", { class: "gap" }));
    node.append(make("button", { type: "button", value: id, title: name, "aria-label": name, "aria-pressed": "false", onclick: () => onpick(id) },
      make("i", { "data-swatch": id })));
  }
  return (matte) => {
    for (const button of node.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === matte));
  };
}
