// The layers on the table, front to back, and their answers: one for each checkpoint that was asked about the prompt.
//
// A layer: {id, name, prompt, isHidden, dx, dy, answers: {checkpoint: answer}}
// An answer: {state: "asking" | "done" | "failed", id, words, picture, layer, seconds, asked: the prompt it is for}

import { isSignedOut, post, send } from "./http.js";
import { loadPicture } from "./queue.js";

const FIRST_LOOK_MS = 120;
const LAST_LOOK_MS = 1000;

export const rests = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

export class Stack {
  /** onchange() is called whenever something is to be drawn anew, onsignedout() when nobody is signed in. */
  constructor(imageId) {
    Object.assign(this, { imageId, layers: [], picked: null, made: 0, onchange: () => {}, onsignedout: () => {} });
  }

  /** A new layer, in front of all or, for the background, behind all. */
  add(name, prompt) {
    this.made += 1;
    const layer = { id: this.made, name, prompt, isHidden: false, dx: 0, dy: 0, answers: {} };
    if (prompt.kind === "background") this.layers.push(layer);
    else this.layers.unshift(layer);
    this.picked = layer;
    return layer;
  }

  remove(layer) {
    for (const answer of Object.values(layer.answers)) forget(answer);
    const at = this.layers.indexOf(layer);
    this.layers = this.layers.filter((other) => other !== layer);
    if (this.picked === layer) this.picked = this.layers[Math.min(at, this.layers.length - 1)] ?? null;
    this.onchange();
  }

  /** By one place: -1 forward, 1 backward. */
  reorder(layer, by) {
    const at = this.layers.indexOf(layer);
    const to = at + by;
    if (to < 0 || to >= this.layers.length) return;
    [this.layers[at], this.layers[to]] = [this.layers[to], layer];
    this.onchange();
  }

  /** Those with a picture by this checkpoint that are not hidden, front to back. */
  shown(checkpoint) {
    return this.layers.filter(({ isHidden, answers }) => !isHidden && answers[checkpoint]?.picture);
  }

  /** Asks the checkpoints that were not asked about the layer's prompt yet. */
  ask(layer, checkpoints) {
    for (const checkpoint of checkpoints) {
      const before = layer.answers[checkpoint];
      if (before?.asked === layer.prompt) continue;
      if (before) forget(before);
      const answer = { state: "asking", asked: layer.prompt, picture: before?.picture, layer: before?.layer };
      layer.answers[checkpoint] = answer;
      this.follow(answer, checkpoint).catch(() => fail(answer, "The server does not answer.")).then(() => this.onchange());
    }
    this.onchange();
  }

  async follow(answer, checkpoint) {
    const asked = await post("/api/predict/", { image: this.imageId, prompt: answer.asked, checkpoint });
    if (isSignedOut(asked)) this.onsignedout();
    if (asked.status !== 201) return fail(answer, asked.data?.detail ?? `The server answered ${asked.status}.`);
    answer.id = asked.data.id;
    answer.url = `/api/predict/${answer.id}/`;
    if (answer.isForgotten) return cancel(answer);
    for (let wait = FIRST_LOOK_MS; !answer.isForgotten; wait = Math.min(LAST_LOOK_MS, wait * 1.4)) {
      await rests(wait);
      const { status, data } = await send("GET", answer.url);
      if (status !== 200) return fail(answer, data?.detail ?? `The server answered ${status}.`);
      if (data.is_live) continue;
      if (!data.layer) return fail(answer, data.reason.replace(/^\w+: /, "") || `It was ${data.status}.`);
      const picture = await loadPicture(data.layer.rgba);
      return Object.assign(answer, { state: "done", picture, layer: data.layer, seconds: data.seconds });
    }
    return null;
  }
}

function fail(answer, words) {
  return Object.assign(answer, { state: "failed", words, picture: null, layer: null });
}

/** Nobody waits for it any more. */
function forget(answer) {
  answer.isForgotten = true;
  if (answer.url && answer.state === "asking") cancel(answer);
}

const cancel = ({ url }) => post(`${url}cancel/`).catch(() => null);
