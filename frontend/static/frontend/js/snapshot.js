// While it is frozen or exported: draw the page anew every few seconds; open details and focus stay.

import { refresh } from "./morph.js";

const EVERY_MS = 2000;

async function watch() {
  const root = document.getElementById("snapshot");
  if (!root.hasAttribute("data-live")) return;
  // No answer now: the next look tries again.
  if (!document.hidden) await refresh("snapshot").catch(() => false);
  setTimeout(watch, EVERY_MS);
}

watch();
