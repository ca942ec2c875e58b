// The prompt drawn over the photo: boxes and mask outlines in the overlay, points as marks.

import { make, makeSvg } from "./dom.js";
import { outlinePath } from "./outlines.js";

export const KINDS = { point: "Point", box: "Box", mask: "Mask", text: "Text", hybrid: "Hybrid", background: "Background" };

export const NO_PROMPT = { kind: "none", points: [], box: null, mask: null, text: "", is_ambiguous: false };

const unscaled = { "vector-effect": "non-scaling-stroke" };

export function drawPrompt(pane, prompt) {
  pane.overlay.replaceChildren();
  if (prompt.mask) {
    const d = outlinePath(prompt.mask);
    pane.overlay.append(makeSvg("path", { class: "prompt-under", d, ...unscaled }), makeSvg("path", { class: "prompt-mask", d, ...unscaled }));
  }
  if (prompt.box) {
    const [x, y, right, bottom] = prompt.box;
    const frame = { x, y, width: right - x, height: bottom - y, ...unscaled };
    pane.overlay.append(makeSvg("rect", { class: "prompt-under", ...frame }), makeSvg("rect", { class: "prompt-box", ...frame }));
  }
  for (const [x, y] of prompt.points ?? []) pane.mark(make("div", { class: "point-mark" }), x, y);
}

/** What the prompt asks for, in words; the text itself when there is one. */
export function describe(prompt) {
  if (prompt.text) return prompt.kind === "background" ? "The background, everything in front removed" : `“${prompt.text}”`;
  if (prompt.kind === "none") return "No prompt";
  if (prompt.kind === "point") return (prompt.points.length > 1 ? "The thing at these points" : "The thing at this point");
  if (prompt.kind === "box") return "The thing in this box";
  if (prompt.kind === "mask") return "The thing under this mask";
  return prompt.kind === "background" ? "The background, everything in front removed" : "The thing that is marked";
}
