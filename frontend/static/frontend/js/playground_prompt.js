// The prompt on the photo: what is pointed at, drawn or said, with undo. It is asked as soon as the hand rests.

import { maskOf, maskOfPictures } from "./playground_draw.js";
import { History, NO_MARKS } from "./repair_marks.js";

const NO_PROMPT = { ...NO_MARKS, points: [], text: "" };
const SOON_MS = 250;

const hasPlace = ({ points, box, strokes }) => points.length > 0 || box !== null || strokes.some(({ tool }) => tool === "paint");

export class PhotoPrompt {
  /** `stack` takes the layers, `chosen()` names who is asked. onchange() is called when it is to be drawn anew. */
  constructor(stack, chosen, { width, height }) {
    Object.assign(this, { stack, chosen, width, height, history: new History(NO_PROMPT), timer: 0 });
    this.layer = null; // the one that the prompt is about
    this.onchange = () => {};
  }

  get now() {
    return this.history.now;
  }

  change(part) {
    this.history.change(part);
    this.changed();
  }

  undo() {
    if (this.history.undo()) this.changed();
  }

  redo() {
    if (this.history.redo()) this.changed();
  }

  changed() {
    this.onchange();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), SOON_MS);
  }

  ask() {
    clearTimeout(this.timer);
    this.timer = 0;
    const { points, box, strokes, text } = this.now;
    const mask = maskOf(strokes, this.width, this.height);
    if (!points.length && !box && !mask && !text) {
      if (this.layer) this.stack.remove(this.layer);
      this.layer = null;
      return;
    }
    const prompt = { points, box, mask, text };
    const kind = hasPlace(this.now) && box ? "Box" : mask ? "Paint" : "Point";
    this.layer ??= this.stack.add(text || `${kind} ${this.stack.made + 1}`, prompt);
    Object.assign(this.layer, { name: text || this.layer.name, prompt });
    this.stack.ask(this.layer, this.chosen());
  }

  /** The layer stays, and the next mark begins another one. Returns the layer, if there was one. */
  keep() {
    if (this.timer) this.ask(); // the last mark counts, however quick the hand
    const kept = this.layer;
    this.forget(kept);
    return kept;
  }

  /** The marks of a layer that is kept or gone are wiped off the photo. */
  forget(layer) {
    if (!layer || layer !== this.layer) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.layer = null;
    this.history = new History(NO_PROMPT);
    this.onchange();
  }

  /** Everything that was cut out is taken away; without layers the network says what stands in front. */
  background() {
    this.keep();
    const [first] = this.chosen();
    const inFront = this.stack.shown(first).filter(({ prompt }) => prompt.kind !== "background");
    const mask = maskOfPictures(inFront.map(({ answers }) => answers[first].picture), this.width, this.height);
    this.stack.ask(this.stack.add("Background", { kind: "background", mask }), this.chosen());
  }
}
