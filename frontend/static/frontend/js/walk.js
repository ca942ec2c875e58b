// The edge walk: a loupe that travels along the layer's contour from one suspicious place to the next.

import { $, make, makeSvg } from "./dom.js";
import { Camera, Pane } from "./camera.js";
import { findEdges } from "./edges.js";
import { pixelsOf } from "./queue.js";

const SCALE = 8;
const WORDS = { halo: "Possible halo", jag: "Jagged edge", clip: "Hard cut", plain: "Nothing flagged here" };
const unscaled = { "vector-effect": "non-scaling-stroke" };

export class EdgeWalk {
  constructor(pane, onstep) {
    Object.assign(this, { pane, onstep, item: null, stop: 0 });
    this.camera = new Camera();
    this.camera.isFitted = false;
    this.loupe = new Pane($("#loupe-pane"), this.camera, { isStill: true });
    this.box = $("#loupe");
    $("#edge-back").addEventListener("click", () => this.step(-1));
    $("#edge-next").addEventListener("click", () => this.step(1));
  }

  async open(item, matte) {
    const isNew = this.item !== item;
    this.item = item;
    this.loupe.root.dataset.matte = matte === "colours" ? "grey" : matte;
    if (!isNew) return;
    this.pane.root.classList.add("busy");
    item.edges ??= pixelsOf(item).then((pixels) => findEdges(pixels, photoPixels(item.pictures.photo)));
    const edges = await item.edges.catch(() => null);
    this.pane.root.classList.remove("busy");
    if (this.item !== item) return;
    this.edges = edges ?? { path: "", stops: [] };
    this.box.classList.toggle("blank", !this.edges.stops.length);
    const d = this.edges.path;
    this.pane.overlay.replaceChildren(makeSvg("path", { class: "contour-under", d, ...unscaled }), makeSvg("path", { class: "contour", d, ...unscaled }));
    const { ghost, layer } = item.pictures;
    this.loupe.world.replaceChildren(...[ghost, layer].map((picture) => Object.assign(picture.cloneNode(), { decoding: "sync" })));
    this.loupe.setSize(item.source.width, item.source.height);
    this.box.hidden = false;
    this.stop = 0;
    this.step(0);
  }

  close() {
    if (!this.item) return;
    Object.assign(this, { item: null, edges: null });
    this.box.hidden = true;
    this.loupe.world.replaceChildren();
    this.pane.overlay.replaceChildren();
    this.onstep();
  }

  step(by) {
    const stops = this.edges?.stops ?? [];
    this.stop = stops.length ? (this.stop + by + stops.length) % stops.length : 0;
    const place = stops[this.stop];
    const size = place?.px ? ` ${place.px} px` : "";
    $("#loupe-words").replaceChildren(...(place ? [make("b", {}, WORDS[place.kind]), `${size} · ${this.stop + 1} of ${stops.length}`] : [this.edges?.path ? "No edge inside the picture" : "The edge could not be read"]));
    if (place) this.camera.set(place.x, place.y, SCALE);
    this.onstep();
  }

  drawMarks() {
    (this.edges?.stops ?? []).forEach(({ x, y }, index) =>
      this.pane.mark(make("div", { class: index === this.stop ? "spot on" : "spot" }), x, y));
  }
}

function photoPixels(photo) {
  const canvas = new OffscreenCanvas(photo.naturalWidth, photo.naturalHeight);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(photo, 0, 0);
  const { width, height, data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  return { width, height, rgba: data };
}
