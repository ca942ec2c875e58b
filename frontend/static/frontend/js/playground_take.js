// What becomes of the layers: a document to take home, or a layer of the project. Both are of the first checkpoint.

import { $, icon, make, toast } from "./dom.js";
import { isSignedOut, post, postForFile } from "./http.js";

const NO_ANSWER = "The server does not answer. Try again.";
const complain = (words) => toast([icon("alert"), words], 5000);

/** What the pane of `checkpoint` shows as one document: psd, ora or png. */
export async function takeHome(stack, checkpoint, format) {
  const layers = stack.shown(checkpoint).map(({ name, dx, dy, answers: by }) => ({ prediction: by[checkpoint].id, name, dx, dy }));
  const response = await postForFile("/api/predict/document/", { format, layers }).catch(() => null);
  if (!response?.ok) return complain((await response?.json().catch(() => null))?.detail ?? NO_ANSWER);
  const url = URL.createObjectURL(await response.blob());
  make("a", { href: url, download: `layers.${format}` }).click();
  return setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The picked layer goes into the project, where the object lies in the photo, wherever it was dragged here. */
export async function saveAsLayer(stack, layer, checkpoint) {
  const answer = layer.answers[checkpoint];
  const body = { name: layer.label, depth: stack.layers.indexOf(layer) };
  const saved = await post(`${answer.url}layer/`, body).catch(() => null);
  if (saved && isSignedOut(saved)) return stack.onsignedout();
  if (!saved || saved.status >= 300) return complain(saved?.data?.detail ?? NO_ANSWER);
  answer.isSaved = true;
  stack.onchange();
  $("#announce").textContent = `${layer.label} is saved.`;
  return toast([icon("check"), `${layer.label} is a layer of the project now. Others judge it.`]);
}
