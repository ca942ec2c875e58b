// Parts of a page that change while somebody looks: drawn anew every few seconds until they are done.

import { refresh } from "./morph.js";

const EVERY_MS = 3000;

async function watch() {
  const parts = [...document.querySelectorAll("[data-refreshed]")];
  if (!parts.length) return;
  for (const part of parts) {
    // No answer now: the next look tries again.
    if (!document.hidden) await refresh(part.id).catch(() => false);
  }
  setTimeout(watch, EVERY_MS);
}

watch();
