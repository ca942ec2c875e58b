// What the repair page shows: the photo with outline and marks, the mended layer on a matte, figures and the list.

import { Camera, Pane } from "./camera.js";
import { $, capital, make, makeSvg } from "./dom.js";
import { worstMatte } from "./fringe.js";
import { nameOfMatte } from "./mattes.js";
import { outlinePath } from "./outlines.js";
import { boxMark, strokeMark } from "./repair_draw.js";

const unscaled = { "vector-effect": "non-scaling-stroke" };
const percent = (share) => `${(100 * share).toFixed(1)} %`;

export class View {
  constructor({ layer, source, pins }) {
    Object.assign(this, { layer, source, pins, matte: "checker-light", isHeld: false });
    this.camera = new Camera();
    this.photo = new Pane($("#photo-pane"), this.camera);
    this.result = new Pane($("#layer-pane"), this.camera);
    this.panes = [this.photo, this.result];
  }

  /** photo, ghost and layer: decoded pictures of the photo's size. */
  open(photo, ghost, layer) {
    photo.className = "photo";
    ghost.className = "photo";
    this.sheet = make("div", { class: "layer sheet" }, layer);
    this.photo.world.replaceChildren(photo);
    this.result.world.replaceChildren(ghost, this.sheet);
    this.outline = makeSvg("g", { class: "outline" });
    this.marks = makeSvg("g", { class: "marks-drawn" });
    this.photo.overlay.append(this.outline, this.marks);
    for (const pane of this.panes) pane.setSize(this.source.width, this.source.height);
    for (const { number, x, y } of this.pins) this.photo.mark(make("div", { class: "pin" }, String(number)), x, y);
    this.photo.root.tabIndex = 0;
    this.photo.root.setAttribute("role", "application");
    this.photo.root.setAttribute("aria-label", "Photo. Arrow keys move the cross, Space puts the pen down and up.");
    this.draw();
    this.camera.fit();
  }

  /** The server's answer: the layer cut to a box, with its masks. */
  async show({ box: [x0, y0, x1, y1], layer, visible, amodal, ...measured }) {
    const picture = new Image();
    picture.alt = "";
    picture.src = layer;
    await picture.decode();
    const edges = { left: x0, top: y0, width: x1 - x0, height: y1 - y0 };
    for (const [side, value] of Object.entries(edges)) picture.style.setProperty(side, `${value}px`);
    this.sheet.replaceChildren(picture);
    this.preview = picture;
    const [rows, columns] = visible.size;
    const place = `translate(${x0} ${y0}) scale(${(x1 - x0) / columns} ${(y1 - y0) / rows})`;
    const seen = outlinePath(visible);
    const path = (name, d) => makeSvg("path", { class: name, d, transform: place, ...unscaled });
    const { width, height } = this.source;
    const beyond = makeSvg("path", { class: "beyond", d: `M${-x0} ${-y0}h${width}v${height}h${-width}Z`, transform: `translate(${x0} ${y0})` });
    beyond.setAttribute("d", `${beyond.getAttribute("d")}${scaled(seen, (x1 - x0) / columns, (y1 - y0) / rows)}`);
    this.outline.replaceChildren(beyond, path("hidden-line", outlinePath(amodal)), path("contour-under", seen), path("contour", seen));
    this.drawFacts(measured);
    this.draw();
  }

  draw() {
    const { root } = this.result;
    root.dataset.matte = this.matte;
    if (this.matte === "worst" && this.preview) root.style.setProperty("--worst", worstMatte(pixelsOf(this.preview)));
    this.photo.root.classList.toggle("bare", this.isHeld);
    $(".caption", root).replaceChildren(make("b", {}, capital(this.layer.label)), ` on ${nameOfMatte(this.matte).toLowerCase()}`);
    $(".caption", this.photo.root).replaceChildren(make("b", {}, "Photo"), this.isHeld ? "" : " with the outline");
  }

  drawMarks({ strokes, box }) {
    this.marks.replaceChildren(...(box ? boxMark(box) : []), ...strokes.flatMap(strokeMark));
  }

  drawFacts(now) {
    const rows = [["Covers", "area_share"], ["Behind others", "hidden_share"], ["Soft edge", "soft_share"]];
    $("#facts").replaceChildren(...rows.flatMap(([name, field]) => [
      make("dt", {}, name), make("dd", { class: "dim" }, percent(this.layer[field])), make("dd", {}, percent(now[field])),
    ]));
  }
}

/** The path with its coordinates scaled, for joining it with one in pixels of the photo. */
const scaled = (path, sx, sy) => path.replace(/([ML])(\S+) ([\d.]+)/g, (_, verb, x, y) => `${verb}${x * sx} ${y * sy}`);

function pixelsOf(picture) {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  context.drawImage(picture, 0, 0);
  return { width, height, rgba: context.getImageData(0, 0, width, height).data };
}
