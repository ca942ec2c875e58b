// While something trains or makes layers: renew the lists every few seconds; what is typed into the forms stays.

import { refresh } from "./morph.js";

const EVERY_MS = 2500;
const root = document.getElementById("training");
const RENEWED = document.getElementById("runs") ? ["runs", "checkpoints"] : ["training"];

async function watch() {
  if (!root.hasAttribute("data-live")) return;
  // No answer now: the next look tries again.
  if (!document.hidden) await refresh(...RENEWED).catch(() => false);
  setTimeout(watch, EVERY_MS);
}

watch();
