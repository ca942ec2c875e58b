// Where the last decisions are: on the server, on their way, or kept here. A chip always says it; a banner does when
// something needs to be known.

import { $, make } from "./dom.js";

const some = (count) => (count === 1 ? "1 decision" : `${count} decisions`);

export function showSaveState(outbox) {
  const chip = $("#save-state");
  const banner = $("#connection");
  const text = make("span");
  chip.append(make("i", { class: "dot" }), text);
  $("#send-now").addEventListener("click", () => outbox.retryNow());
  const draw = () => {
    const waiting = outbox.entries.length;
    const seconds = Math.max(0, Math.ceil((outbox.retryAt - Date.now()) / 1000));
    const state = navigator.onLine || outbox.state === "signed-out" ? outbox.state : "offline";
    say(text, {
      saved: "Saved",
      saving: "Saving",
      failed: `${waiting} not saved, next try in ${seconds} s`,
      offline: `Offline, ${waiting} kept here`,
      "signed-out": `Signed out, ${waiting} kept here`,
    }[state]);
    say($("#connection-words"), {
      failed: `${some(waiting)} not on the server yet, kept in this browser.`,
      offline: waiting ? `You are offline. ${some(waiting)} kept in this browser and sent when you are back.` : "You are offline. Go on with what is here; decisions are kept in this browser.",
      "signed-out": `You are signed out. ${some(waiting)} kept in this browser.`,
    }[state] ?? "");
    chip.dataset.state = state;
    banner.dataset.state = state;
    banner.hidden = state === "saved" || state === "saving";
    clearTimeout(draw.timer);
    if (state === "failed") draw.timer = setTimeout(draw, 500);
  };
  for (const name of ["online", "offline"]) addEventListener(name, draw);
  outbox.addEventListener("change", draw);
  draw();
}

/** Screen readers hear a text again when it is set, so it is set only when it differs. */
function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
}
