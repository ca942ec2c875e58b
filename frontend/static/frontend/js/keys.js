// One table of keys drives the binding, the sheet behind "?" and aria-keyshortcuts.
//
// An entry: {on: ["KeyA", "Shift+KeyB"], group, label, control: "#accept"}   pressing clicks that visible control
//       or  {..., press: f, release: f, repeats: true}                        pressing calls f, letting go calls release
// Codes are physical positions (KeyboardEvent.code), so that the layout of the keyboard does not matter.

import { $, $$ } from "./dom.js";

const NAMES = {
  "Shift+Slash": "?", "Shift+Equal": "+", Equal: "+", Minus: "-", NumpadAdd: "+", NumpadSubtract: "-", Comma: ",", Period: ".", Slash: "/",
  Semicolon: ";", Quote: "'", BracketLeft: "[", BracketRight: "]", Backslash: "\\", Backquote: "`",
  Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→",
};

/** "Shift+KeyB" -> "Shift+B": what people and aria-keyshortcuts call it. */
export function nameOf(code) {
  const shift = code.startsWith("Shift+") ? "Shift+" : "";
  const plain = code.slice(shift.length);
  return NAMES[code] ?? shift + (NAMES[plain] ?? plain.replace(/^(Key|Digit|Numpad)/, ""));
}

export const namesOf = (entry) => [...new Set(entry.on.map(nameOf))];

/** The code of a key press, with Shift as part of it. The key that types "?" is the same one in every layout. */
export const codeOf = (event) => (event.key === "?" ? "Shift+Slash" : (event.shiftKey ? "Shift+" : "") + event.code);

const isTyping = (target) => target.closest?.("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]");

/** Does the focused control want this key for itself? Only when it was reached with the keyboard. */
const belongsToControl = (event) =>
  (event.code === "Space" || event.code === "Enter") && event.target.matches?.("button:focus-visible, a:focus-visible, summary:focus-visible");

/** Controls say their keys: aria-keyshortcuts for machines, the <kbd> in them for eyes. */
export function labelControls(table) {
  for (const entry of table) {
    for (const control of entry.control ? $$(entry.control) : []) {
      control.setAttribute("aria-keyshortcuts", namesOf(entry).join(" "));
      const shown = $("kbd", control);
      if (shown) shown.textContent = nameOf(entry.on[0]).replace("Shift+", "⇧");
    }
  }
}

/** Reads the table at every press, so keys that people change act at once. */
export function bindKeys(table) {
  const held = new Map();
  labelControls(table);
  addEventListener("keydown", (event) => {
    if (isTyping(event.target)) {
      if (event.code === "Escape") event.target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (belongsToControl(event)) {
      if (event.repeat) event.preventDefault();
      return;
    }
    const entry = table.find((candidate) => candidate.on.includes(codeOf(event)));
    if (!entry) return;
    event.preventDefault();
    if (event.repeat && !entry.repeats) return;
    if (entry.release) held.set(event.code, entry);
    if (entry.press) entry.press(event);
    else $(entry.control)?.click();
  });
  const letGo = (code) => {
    held.get(code)?.release();
    held.delete(code);
  };
  addEventListener("keyup", (event) => letGo(event.code));
  addEventListener("blur", () => [...held.keys()].forEach(letGo));
  // A button that was clicked with the mouse must not catch the next Space.
  addEventListener("click", (event) => { if (event.detail > 0) event.target.closest?.("button")?.blur(); });
}
