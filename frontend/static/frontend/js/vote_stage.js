// The two panes of the vote page: the same camera, matte and edit on both sides, always. Only what is shown, no votes.

import { $, $$, make } from "./dom.js";
import { Camera, Pane } from "./camera.js";
import { worstMatte } from "./fringe.js";
import { opaque, readPng } from "./png.js";
import { drawPrompt } from "./prompts.js";
import { loadPicture } from "./queue.js";

const PHONE = matchMedia("(max-width: 640px)"); // there the panes lie one over the other

/** Starts loading what a comparison shows. `item.ready` rejects when one of the pictures cannot be had. */
export function prepareComparison(item) {
  item.ready = Promise.all([item.source.url, item.left.rgba_url, item.right.rgba_url, item.scene_url ?? item.source.url].map(loadPicture))
    .then(([photo, left, right, scene]) => (item.pictures = { photo, left, right, scene }));
  item.ready.catch(() => {});
  return item;
}

export class VoteStage {
  constructor() {
    this.camera = new Camera({ margin: PHONE.matches ? 16 : 32 });
    this.left = new Pane($("#left-pane"), this.camera);
    this.right = new Pane($("#right-pane"), this.camera);
    this.photos = ["#photo-pane", "#peek-pane"].map((name) => new Pane($(name), new Camera({ margin: 0 }), { isStill: true }));
    this.divider = $("#divider");
    Object.assign(this, { item: null, mode: "two", matte: "checker-light", isEdited: false, isSwapped: false, split: 0.5, mix: 0.5 });
    PHONE.addEventListener("change", () => this.draw());
    this.listen();
  }

  /** Resolves when both layers are on the screen. Rejects when a picture cannot be loaded. */
  async show(item) {
    this.wanted = item;
    await item.ready;
    if (item !== this.wanted) return;
    Object.assign(this, { item, isEdited: Boolean(item.edit.kind), isSwapped: false, split: 0.5, mix: 0.5 });
    const { width, height } = item.source;
    for (const pane of [this.left, this.right, ...this.photos]) pane.setSize(width, height);
    for (const pane of this.photos) {
      pane.clearMarks();
      pane.world.replaceChildren(copy(item.pictures.photo, "shown"));
      drawPrompt(pane, item.prompt);
      pane.camera.fit();
    }
    this.draw();
    this.camera.fit();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }

  clear() {
    this.item = null;
    for (const pane of [this.left, this.right, ...this.photos]) {
      pane.world.replaceChildren();
      pane.overlay.replaceChildren();
      pane.clearMarks();
    }
  }

  /** What the sides are called where they are. */
  get names() {
    return PHONE.matches && this.mode === "two" ? ["Top", "Bottom"] : ["Left", "Right"];
  }

  draw() {
    const { item, mode } = this;
    const isOne = mode !== "two";
    $("#panes").dataset.mode = mode;
    for (const { root } of [this.left, this.right]) {
      root.dataset.matte = mode === "difference" ? "black" : this.matte;
      root.dataset.shows = "layer";
      root.dataset.edit = this.isEdited && item ? item.edit.kind : "none";
    }
    this.divider.hidden = mode !== "swipe";
    $("#mix").hidden = mode !== "onion";
    if (!item) return;
    const [near, far] = this.isSwapped ? ["right", "left"] : ["left", "right"];
    this.left.world.replaceChildren(...(isOne ? this.together(near, far) : [this.sheet(near)]));
    this.right.world.replaceChildren(...(isOne ? [] : [this.sheet(far)]));
    this.drawCaptions();
    this.drawMatte();
    this.place();
    this.camera.paint();
  }

  /** Both sides in one pane. */
  together(near, far) {
    const [under, over] = [this.sheet(near), this.sheet(far)];
    over.classList.add("over");
    if (this.mode !== "difference") return [under, over];
    return [make("div", { class: "difference" }, under, over)];
  }

  /** One side with the edit's script applied; the layer's own pixels are never touched. */
  sheet(side) {
    const { edit, pictures } = this.item;
    const layer = copy(pictures[side], "layer");
    if (this.isEdited && edit.kind === "move") layer.style.setProperty("transform", `translate(${edit.dx}px, ${edit.dy}px)`);
    if (this.isEdited && edit.kind === "scale") {
      layer.style.setProperty("transform-origin", `${edit.x}px ${edit.y}px`);
      layer.style.setProperty("transform", `scale(${edit.factor})`);
    }
    return make("div", { class: "sheet", "data-side": side },
      make("div", { class: "ground" }, copy(pictures.photo, "photo"), copy(pictures.scene, "scene")),
      layer, make("canvas", { class: "colours" }));
  }

  drawCaptions() {
    const [left, right] = this.names;
    const shown = { two: this.isSwapped ? [`${right}, shown here`, `${left}, shown here`] : [left, right], swipe: [`${left} | ${right}`], onion: [`${left} to ${right}`], difference: ["Difference of the two"] }[this.mode];
    this.left.caption.textContent = shown[0];
    this.right.caption.textContent = shown[1] ?? "";
  }

  /** The two mattes that need pixels. The worst case is one colour for both sides together. */
  async drawMatte() {
    const { item, matte } = this;
    if (matte !== "worst" && matte !== "colours") return;
    item.pixels ??= Promise.all([readPng(item.left.rgba_url), readPng(item.right.rgba_url)]);
    const pixels = await item.pixels.catch(() => null);
    if (!pixels || item !== this.item || matte !== this.matte) return;
    const [left, right] = pixels;
    if (matte === "worst") {
      const rgba = new Uint8ClampedArray(left.rgba.length + right.rgba.length);
      rgba.set(left.rgba);
      rgba.set(right.rgba, left.rgba.length);
      item.worst ??= worstMatte({ width: left.width, height: left.height + right.height, rgba });
      for (const { root } of [this.left, this.right]) root.style.setProperty("--worst", item.worst);
      return;
    }
    for (const sheet of $$(".sheet", $("#panes"))) {
      const image = opaque(sheet.dataset.side === "left" ? left : right);
      const canvas = $("canvas", sheet);
      Object.assign(canvas, { width: image.width, height: image.height });
      canvas.getContext("2d").putImageData(image, 0, 0);
    }
  }

  /** The divider lies in screen pixels, the cut in picture pixels: again after every move of the camera. */
  place() {
    const over = $(".over", this.left.world);
    if (!over) return;
    if (this.mode === "onion") over.style.setProperty("opacity", this.mix);
    if (this.mode !== "swipe") return;
    const width = this.left.root.clientWidth;
    const share = ((this.split * width - width / 2) / this.camera.scale + this.camera.x) / this.left.width;
    const percent = 100 * Math.min(1, Math.max(0, share));
    $(".sheet:not(.over)", this.left.world).style.setProperty("clip-path", `inset(0 ${100 - percent}% 0 0)`);
    over.style.setProperty("clip-path", `inset(0 0 0 ${percent}%)`);
    this.divider.style.setProperty("left", `${100 * this.split}%`);
    this.divider.setAttribute("aria-valuenow", String(Math.round(100 * this.split)));
    $("#mix-range").value = this.mix;
  }

  /** Divider or mix, whichever the mode has, by a share of the width. */
  slide(step) {
    const name = this.mode === "onion" ? "mix" : "split";
    this[name] = Math.min(1, Math.max(0, this[name] + step));
    $("#mix-range").value = this.mix;
    this.place();
  }

  listen() {
    const { divider } = this;
    divider.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      divider.setPointerCapture(event.pointerId);
    });
    divider.addEventListener("pointermove", (event) => {
      if (!divider.hasPointerCapture(event.pointerId)) return;
      const frame = this.left.root.getBoundingClientRect();
      this.slide((event.clientX - frame.left) / frame.width - this.split);
    });
    divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.04, ArrowRight: 0.04 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      this.slide(step);
    });
    $("#mix-range").addEventListener("input", (event) => this.slide(Number(event.target.value) - this.mix));
  }
}

function copy(picture, name) {
  const node = picture.cloneNode();
  node.decoding = "sync";
  node.className = name;
  return node;
}
