// Drawing on the panes: mouse, pen, finger or keyboard become strokes and boxes in pixels of the photo.
// One finger draws; two move the picture. The middle of it all is `Easel`: it listens before the panes do.

import { makeSvg } from "./dom.js";

export const STROKES = ["keep", "remove", "paint", "erase"];
const LEAST_BOX_PX = 4;
const unscaled = { "vector-effect": "non-scaling-stroke" };

const within = (value, most) => Math.round(10 * Math.min(most, Math.max(0, value))) / 10;

export class Easel {
  /** onstroke({tool, points, width_px, hardness}) and onbox([x0, y0, x1, y1]) are called with what was drawn. */
  constructor(root, panes) {
    Object.assign(this, { root, panes, tool: "keep", size: 12, hardness: 0.8, isMoving: false, cursor: null, drawn: null });
    this.onstroke = () => {};
    this.onbox = () => {};
    const listen = (name, act) => root.addEventListener(name, act, { capture: true });
    listen("pointerdown", (event) => this.down(event));
    listen("pointermove", (event) => this.move(event));
    listen("pointerup", (event) => this.up(event));
    listen("pointercancel", (event) => this.cancel(event));
    listen("dblclick", (event) => { if (this.draws) event.stopPropagation(); });
    root.addEventListener("pointerleave", () => this.point(null));
  }

  setSize(width, height) {
    Object.assign(this, { width, height });
    this.live = this.panes.map(({ overlay }) => overlay.appendChild(makeSvg("g", { class: "live" })));
  }

  get draws() {
    return this.tool !== "move" && !this.isMoving;
  }

  set(part) {
    Object.assign(this, part);
    this.draw();
  }

  paneAt(event) {
    return this.panes.find(({ root }) => root.contains(event.target));
  }

  placeOf(event, pane) {
    const [x, y] = pane.toImage(event.clientX, event.clientY);
    return [within(x, this.width), within(y, this.height)];
  }

  down(event) {
    const pane = this.paneAt(event);
    if (!pane || !this.draws || event.button !== 0) return;
    if (this.drawn?.pointer !== undefined && event.pointerType === "touch") return this.handOver();
    event.stopPropagation();
    event.preventDefault();
    pane.root.setPointerCapture(event.pointerId);
    this.begin(this.placeOf(event, pane), { pointer: event.pointerId, pane, event });
  }

  move(event) {
    const pane = this.drawn?.pane ?? this.paneAt(event);
    if (!pane || !this.draws) return this.point(null);
    if (this.drawn?.pointer === event.pointerId) {
      event.stopPropagation();
      for (const part of event.getCoalescedEvents?.() ?? [event]) this.extend(this.placeOf(part, pane));
    }
    return this.point(this.placeOf(event, pane));
  }

  up(event) {
    if (this.drawn?.pointer !== event.pointerId) return;
    event.stopPropagation();
    this.end();
  }

  cancel(event) {
    if (this.drawn?.pointer === event.pointerId) this.set({ drawn: null });
  }

  /** A second finger came: nothing is drawn, and the pane sees the first finger as well. */
  handOver() {
    const { pane, event } = this.drawn;
    this.set({ drawn: null, isMoving: true });
    pane.root.dispatchEvent(new PointerEvent("pointerdown", { ...asInit(event), bubbles: true }));
    const after = (end) => {
      if (!end.isPrimary) return;
      this.isMoving = false;
      removeEventListener("pointerup", after);
      removeEventListener("pointercancel", after);
    };
    addEventListener("pointerup", after);
    addEventListener("pointercancel", after);
  }

  begin(place, how = {}) {
    this.set({ drawn: { ...how, points: [place] }, cursor: place });
  }

  extend(place) {
    const { points } = this.drawn;
    const [x, y] = points.at(-1);
    if (this.tool === "box") this.drawn.points = [points[0], place];
    else if (Math.hypot(place[0] - x, place[1] - y) >= Math.max(0.5, this.size / 10)) points.push(place);
  }

  end() {
    const { points } = this.drawn;
    this.set({ drawn: null });
    if (STROKES.includes(this.tool)) {
      const hardness = this.tool === "keep" || this.tool === "remove" ? 1 : this.hardness;
      this.onstroke({ tool: this.tool, points, width_px: this.size, hardness });
    } else if (points.length > 1) {
      const box = boxOf(points);
      if (Math.min(box[2] - box[0], box[3] - box[1]) >= LEAST_BOX_PX) this.onbox(box);
    }
  }

  // --- keyboard -------------------------------------------------------------------------------------------------
  /** Moves the cross, in steps of a quarter of the brush; draws while the pen is down. */
  step(dx, dy) {
    const [x, y] = this.cursor ?? [this.width / 2, this.height / 2];
    const by = Math.max(1, this.size / 4);
    const place = [within(x + dx * by, this.width), within(y + dy * by, this.height)];
    if (this.drawn) this.extend(place);
    this.point(place);
  }

  togglePen() {
    if (this.drawn) this.end();
    else if (this.draws) this.begin(this.cursor ?? [this.width / 2, this.height / 2]);
  }

  // --- what is seen of it ---------------------------------------------------------------------------------------
  point(place) {
    this.cursor = place ?? this.cursor;
    this.isShown = place !== null;
    this.draw();
  }

  draw() {
    if (!this.live) return;
    for (const [index, { root }] of this.panes.entries()) {
      root.classList.toggle("drawing", this.draws);
      this.live[index].replaceChildren(...this.picture());
    }
  }

  picture() {
    if (this.drawn && this.tool === "box") return boxMark(boxOf(this.drawn.points));
    const nodes = this.drawn ? strokeMark({ tool: this.tool, points: this.drawn.points, width_px: this.size, hardness: this.hardness }) : [];
    if (!this.isShown || !this.draws || !this.cursor) return nodes;
    const [cx, cy] = this.cursor;
    if (this.tool === "box") {
      const cross = `M0 ${cy}H${this.width}M${cx} 0V${this.height}`;
      return [makeSvg("path", { class: "under", d: cross, ...unscaled }), makeSvg("path", { class: "cross", d: cross, ...unscaled })];
    }
    const rings = [this.size / 2, ...(this.tool === "paint" || this.tool === "erase" ? [(this.size / 2) * this.hardness] : [])];
    for (const r of rings) nodes.push(makeSvg("circle", { class: "under", cx, cy, r, ...unscaled }), makeSvg("circle", { class: "ring", cx, cy, r, ...unscaled }));
    return nodes;
  }
}

const asInit = ({ pointerId, pointerType, isPrimary, clientX, clientY, button, buttons }) => ({ pointerId, pointerType, isPrimary, clientX, clientY, button, buttons });

export const boxOf = ([[ax, ay], [bx, by] = [ax, ay]]) => [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];

export function boxMark([x, y, right, bottom]) {
  const frame = { x, y, width: right - x, height: bottom - y, ...unscaled };
  return [makeSvg("rect", { class: "prompt-under", ...frame }), makeSvg("rect", { class: "prompt-box", ...frame })];
}

/** A hint is a line; paint is a veil with a denser core, as wide as it is certain. */
export function strokeMark({ tool, points, width_px: width, hardness = 1 }) {
  const d = points.length > 1 ? `M${points.map((point) => point.join(" ")).join("L")}` : `M${points[0].join(" ")}h.01`;
  const line = (name, share) => makeSvg("path", { class: `stroke ${tool} ${name}`, d, "stroke-width": width * share });
  return tool === "paint" || tool === "erase" ? [line("rim", 1), line("core", hardness)] : [line("hint", 1)];
}
