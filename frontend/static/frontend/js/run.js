// While the run is live: ask how far it is, and draw the page anew when something has changed.

import { refresh } from "./morph.js";

const EVERY_MS = 1500;
const root = document.getElementById("run");

/** What the page shows of an answer; how long ago a worker was heard alone is no reason to draw. */
const shown = ({ status, items, stages, layers, workers }) =>
  JSON.stringify([status, items, stages, layers, workers.map(({ name, doing, pictures, is_silent }) => [name, doing, pictures, is_silent])]);

let last = null;

async function look() {
  if (document.hidden) return true;
  const response = await fetch(root.dataset.api, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const answer = await response.json();
  const now = shown(answer);
  if (now !== last) {
    if (!await refresh("run")) throw new Error("the page could not be fetched");
    last = now;
  }
  return answer.is_live;
}

function say(state, text) {
  const tag = document.getElementById("live-tag");
  if (!tag) return;
  tag.dataset.state = state;
  tag.lastChild.data = text;
}

async function watch() {
  try {
    if (!await look()) return;
    if (document.getElementById("live-tag")?.dataset.state === "lost") last = null;
  } catch {
    say("lost", "No answer, trying again");
    last = null;
  }
  setTimeout(watch, EVERY_MS);
}

if (root.hasAttribute("data-live")) watch();
document.addEventListener("visibilitychange", () => { if (!document.hidden) last = null; });
