// The sheet of all keys, from the table that binds them, and the place where people change them.

import { make } from "./dom.js";
import { codeOf, labelControls, nameOf, namesOf } from "./keys.js";
import { canSwap, change, isChanged, isModifier, reset, swap } from "./keymap.js";

export function openKeySheet(table) {
  const state = { isChanging: false, waiting: null, said: [] };
  const body = make("div", { class: "key-sheet" });
  const said = make("p", { class: "said", role: "status" });
  const toggle = make("button", { class: "button small quiet", type: "button", id: "change-keys", onclick: () => draw({ isChanging: !state.isChanging, waiting: null, said: [] }) });
  const defaults = make("button", { class: "button small quiet", type: "button", id: "default-keys", onclick: () => { reset(table); draw({ waiting: null, said: ["All keys are as they were."] }); } }, "Defaults");
  const close = make("button", { class: "button small", type: "button", onclick: () => dialog.close() }, "Close", make("kbd", {}, "Esc"));
  const header = make("header", {}, make("h2", { id: "key-sheet-title" }, "Keyboard"), make("span", { class: "end row" }, defaults, toggle, close));
  const dialog = make("dialog", { "aria-labelledby": "key-sheet-title", id: "key-sheet" }, header, said, body);

  function draw(now) {
    Object.assign(state, now);
    toggle.textContent = state.isChanging ? "Done" : "Change keys";
    defaults.hidden = !state.isChanging || !table.some(isChanged);
    said.replaceChildren(...(state.said.length ? state.said : [state.isChanging ? "Choose a key to change, then press the new one. Kept in this browser." : ""]));
    said.hidden = !state.isChanging;
    body.replaceChildren(...[...groupsOf(table)].map(([group, entries]) =>
      make("section", {}, make("h3", {}, group), entries.map((entry) => make("div", {}, make("span", {}, entry.label), keysOf(entry))))));
    body.querySelector(".waiting")?.focus();
    labelControls(table);
  }

  function keysOf(entry) {
    if (!state.isChanging || entry.fixed) return namesOf(entry).map((name) => make("kbd", {}, shown(name)));
    const isWaiting = state.waiting === entry;
    const label = `Change the key for ${entry.label}, now ${nameOf(entry.on[0])}`;
    return make("button", { type: "button", class: isWaiting ? "waiting" : isChanged(entry) ? "changed" : "", "aria-label": label, onclick: () => draw({ waiting: isWaiting ? null : entry, said: [] }) },
      make("kbd", {}, isWaiting ? "press a key" : shown(nameOf(entry.on[0]))));
  }

  function press(code) {
    const entry = state.waiting;
    const { never, conflict } = change(table, entry, code);
    if (!never && !conflict) return draw({ waiting: null, said: [`${entry.label} is now ${nameOf(code)}.`] });
    if (never) return draw({ said: [`${nameOf(code)} cannot be changed. Press another key.`] });
    const exchange = make("button", { class: "button small", type: "button", id: "swap-keys", onclick: () => { swap(entry, conflict); draw({ waiting: null, said: [`${entry.label} is now ${nameOf(entry.on[0])}, ${conflict.label} is ${nameOf(conflict.on[0])}.`] }); } }, "Swap the two");
    const taken = conflict.on[0] === code && canSwap(entry, conflict);
    return draw({ said: [`${nameOf(code)} belongs to “${conflict.label}”. Press another key`, taken ? [" or ", exchange] : "."].flat() });
  }

  dialog.addEventListener("keydown", (event) => {
    if (state.waiting && !event.target.matches("#swap-keys")) {
      event.preventDefault();
      if (event.code === "Escape") draw({ waiting: null, said: [] });
      else if (!event.repeat && !isModifier(codeOf(event))) press(codeOf(event));
    } else if (event.key === "?") {
      dialog.close();
    }
  });
  dialog.addEventListener("cancel", (event) => { if (state.waiting) event.preventDefault(); });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  draw({});
  dialog.showModal();
}

const shown = (name) => name.replace("Shift+", "⇧ ");

function groupsOf(table) {
  const groups = new Map();
  for (const entry of table) groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry]);
  return groups;
}
