// The panes of the review page: the photo with its prompt, the layer, and beside them composite and residual. Only what
// is shown, no decisions.

import { $, capital, make } from "./dom.js";
import { Camera, Pane } from "./camera.js";
import { nameOfMatte } from "./mattes.js";
import { worstMatte } from "./fringe.js";
import { opaque } from "./png.js";
import { drawPrompt } from "./prompts.js";
import { frontToBack, pixelsOf, prepareStack } from "./queue.js";
import { HOT, residualOf } from "./residual.js";
import { EdgeWalk } from "./walk.js";

const frames = (count) => new Promise((done) => {
  const step = () => (count-- > 0 ? requestAnimationFrame(step) : done());
  step();
});

export class Bench {
  constructor() {
    this.camera = new Camera();
    this.photo = new Pane($("#photo-pane"), this.camera);
    this.result = new Pane($("#layer-pane"), this.camera);
    this.stack = new Pane($("#stack-pane"), this.camera);
    this.residual = new Pane($("#residual-pane"), this.camera);
    this.panes = [this.photo, this.result, this.stack, this.residual];
    this.walk = new EdgeWalk(this.result, () => this.drawMarks());
    this.view = "layer";
    this.matte = "checker-light";
    this.held = null; // "photo" or "lift" while a key is down
    this.solo = null;
    this.picked = null;
    this.hidden = new Set();
    this.setPanes(2);
  }

  /** Resolves when both pictures are on the screen. Rejects when one cannot be loaded. */
  async show(item) {
    this.wanted = item;
    await item.ready;
    if (item !== this.wanted) return;
    this.clear();
    Object.assign(this, { item, view: "layer", held: null, solo: null, picked: item.layer.id, pins: [], prompt: item.prompt });
    this.hidden.clear();
    const { photo, ghost, layer } = item.pictures;
    photo.className = "photo";
    ghost.className = "photo";
    layer.className = "layer";
    this.photo.world.replaceChildren(photo);
    this.result.world.replaceChildren(ghost, layer, ...["composite", "residual", "colours"].map(sheet));
    this.stack.world.replaceChildren(sheet("composite"));
    this.residual.world.replaceChildren(sheet("residual"));
    for (const pane of this.panes) pane.setSize(item.source.width, item.source.height);
    this.drawMarks();
    this.draw();
    this.camera.fit();
    await frames(2);
  }

  /** Empty panes; a canvas gives its memory back at once only when it is told to. */
  clear() {
    this.item = null;
    this.walk.close();
    for (const pane of this.panes) {
      for (const canvas of pane.world.querySelectorAll("canvas")) canvas.width = canvas.height = 0;
      pane.world.replaceChildren();
      pane.overlay.replaceChildren();
      pane.clearMarks();
    }
  }

  /** One pane, photo beside layer, or four with composite and residual. */
  setPanes(count) {
    this.count = count;
    $("#panes").dataset.count = count;
    if (this.item) this.draw();
    requestAnimationFrame(() => this.camera.fit());
  }

  drawMarks(prompt = this.prompt, pins = this.pins) {
    Object.assign(this, { prompt, pins });
    for (const pane of this.panes) pane.clearMarks();
    drawPrompt(this.photo, prompt);
    this.walk.drawMarks();
    for (const { number, x, y } of pins.filter((pin) => pin.x !== null)) {
      for (const pane of this.panes) pane.mark(make("div", { class: "pin" }, String(number)), x, y);
    }
    this.camera.paint();
  }

  get shows() {
    if (this.held) return this.held === "photo" ? "photo" : "stack";
    return this.view === "edge" ? "layer" : this.view;
  }

  draw() {
    const { root } = this.result;
    const { shows } = this;
    root.dataset.matte = this.matte;
    root.dataset.shows = shows;
    if (shows === "stack") this.drawStack(this.result, this.held === "lift" ? this.picked : null);
    if (shows === "residual") this.drawResidual(this.result);
    if (shows === "layer") this.drawMatte();
    if (this.count === 4) {
      this.drawStack(this.stack);
      this.drawResidual(this.residual);
    }
    if (this.view === "edge" && !this.held) this.walk.open(this.item, this.matte);
    else this.walk.close();
    this.result.note.hidden = shows !== "residual";
    this.result.caption.replaceChildren(...this.caption());
  }

  caption() {
    const name = ({ id, label }) => (id === this.item.layer.id ? this.item.layer.label : label);
    if (this.held === "photo") return [make("b", {}, "Photo")];
    if (this.held === "lift") return [make("b", {}, "Lifted"), ` what is behind ${name(this.pickedLayer)}`];
    if (this.view === "stack") return [make("b", {}, "Composite"), " of the layers that are on"];
    if (this.view === "residual") return [make("b", {}, "Residual"), " composite against photo"];
    return [make("b", {}, capital(this.item.layer.label)), ` on ${nameOfMatte(this.matte).toLowerCase()}`];
  }

  get pickedLayer() {
    return this.item.stack.find(({ id }) => id === this.picked) ?? this.item.layer;
  }

  /** The layer in front of the picked one (-1) or behind it (1) is what solo, hide and lift act on. */
  pick(step) {
    const order = frontToBack(this.item).map(({ id }) => id);
    this.picked = order[(order.indexOf(this.picked) + step + order.length) % order.length];
  }

  isOn(layerId) {
    return this.solo ? layerId === this.solo : !this.hidden.has(layerId);
  }

  /** The pictures of the layers that are on, back to front; null when another item is shown by then. */
  async pictures(pane, without = null) {
    const { item } = this;
    pane.root.classList.add("busy");
    const pictures = await prepareStack(item).catch(() => []);
    pane.root.classList.remove("busy");
    return item === this.item ? pictures.filter(({ layerId }) => this.isOn(layerId) && layerId !== without) : null;
  }

  async drawStack(pane, without = null) {
    const turn = (pane.turn = Symbol("turn"));
    const pictures = await this.pictures(pane, without);
    if (!pictures || turn !== pane.turn) return;
    pane.world.querySelector(".composite").replaceChildren(...pictures.map((picture) => {
      const copy = picture.cloneNode();
      copy.decoding = "sync";
      return copy;
    }));
  }

  async drawResidual(pane) {
    const turn = (pane.turn = Symbol("turn"));
    const pictures = await this.pictures(pane);
    if (!pictures || turn !== pane.turn) return;
    const colours = getComputedStyle(document.documentElement).getPropertyValue("--heat");
    const { image, mean, p99 } = residualOf(this.item.pictures.photo, pictures, colours);
    paint(pane.world.querySelector(".residual"), image);
    pane.note.replaceChildren("0", make("i", { class: "heat" }), `${HOT}+`, make("span", { class: "rule" }),
      "mean ", make("b", {}, mean.toFixed(2)), " p99 ", make("b", {}, p99.toFixed(1)), " of 255");
  }

  /** The two mattes that need the layer's pixels. */
  async drawMatte() {
    const { item, matte, result } = this;
    if (matte !== "worst" && matte !== "colours") return;
    const pixels = await pixelsOf(item).catch(() => null);
    if (!pixels || item !== this.item || matte !== this.matte) return;
    if (matte === "worst") result.root.style.setProperty("--worst", (item.worst ??= worstMatte(pixels)));
    else paint(result.world.querySelector(".colours"), opaque(pixels));
  }
}

const sheet = (name) => make(name === "composite" ? "div" : "canvas", { class: name });

function paint(canvas, image) {
  Object.assign(canvas, { width: image.width, height: image.height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}
