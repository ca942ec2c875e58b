// One Camera, any number of Panes. The camera holds the image point at the centre of every pane and the scale, so panes
// of different size stay linked. Moving changes CSS transforms only; no pixel is read.

const LEAST = 0.05;
const MOST = 32;
const PIXELATED_ABOVE = 2;

export class Camera {
  /** `margin` in screen pixels is left round the picture when it is fitted. */
  constructor({ margin = 32 } = {}) {
    this.margin = margin;
    this.x = 0;
    this.y = 0;
    this.scale = 1;
    this.isFitted = true;
    this.panes = [];
    this.onchange = () => {};
  }

  set(x, y, scale) {
    Object.assign(this, { x, y, scale: Math.min(MOST, Math.max(LEAST, scale)) });
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    for (const pane of this.panes) pane.paint();
    this.onchange(this);
  }

  /** The whole picture in every visible pane, with a margin. */
  fit() {
    const { margin } = this;
    const visible = this.panes.filter((pane) => pane.root.clientWidth && pane.width);
    if (!visible.length) return;
    const scales = visible.map(({ root, width, height }) =>
      Math.min((root.clientWidth - 2 * margin) / width, (root.clientHeight - 2 * margin) / height));
    this.isFitted = true;
    this.set(visible[0].width / 2, visible[0].height / 2, Math.min(...scales));
  }

  actual() {
    this.isFitted = false;
    this.set(this.x, this.y, 1);
  }

  /** Change the scale and keep the image point (x, y) where it is on the screen. */
  zoomAt(x, y, factor) {
    const scale = Math.min(MOST, Math.max(LEAST, this.scale * factor));
    const ratio = this.scale / scale;
    this.isFitted = false;
    this.set(x + (this.x - x) * ratio, y + (this.y - y) * ratio, scale);
  }

  panBy(dx, dy) {
    this.isFitted = false;
    this.set(this.x - dx / this.scale, this.y - dy / this.scale, this.scale);
  }

  zoomIn(factor) {
    this.zoomAt(this.x, this.y, factor);
  }
}

/** A window onto the picture. `world` is in image pixels; `matte`, `overlay` and marks are in screen pixels. */
export class Pane {
  /** `isStill`: it cannot be moved by hand. */
  constructor(root, camera, { isStill = false } = {}) {
    this.root = root;
    this.camera = camera;
    this.width = 0;
    this.height = 0;
    this.marks = [];
    this.onpick = () => {};
    this.matte = root.querySelector(".pane-matte");
    this.world = root.querySelector(".pane-world");
    this.overlay = root.querySelector(".pane-overlay");
    this.markBox = root.querySelector(".pane-marks");
    this.caption = root.querySelector(".caption");
    this.note = root.querySelector(".reading");
    camera.panes.push(this);
    if (!isStill) this.listen();
    new ResizeObserver(() => (camera.isFitted ? camera.fit() : this.paint())).observe(root);
  }

  setSize(width, height) {
    Object.assign(this, { width, height });
    this.world.style.setProperty("width", `${width}px`);
    this.world.style.setProperty("height", `${height}px`);
    this.overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
  }

  mark(node, x, y) {
    this.markBox.append(node);
    this.marks.push({ node, x, y });
  }

  clearMarks() {
    this.markBox.replaceChildren();
    this.marks = [];
  }

  toScreen(x, y) {
    const { scale } = this.camera;
    return [this.root.clientWidth / 2 + (x - this.camera.x) * scale, this.root.clientHeight / 2 + (y - this.camera.y) * scale];
  }

  toImage(clientX, clientY) {
    const frame = this.root.getBoundingClientRect();
    const { x, y, scale } = this.camera;
    return [(clientX - frame.left - frame.width / 2) / scale + x, (clientY - frame.top - frame.height / 2) / scale + y];
  }

  paint() {
    const { scale } = this.camera;
    const [left, top] = this.toScreen(0, 0);
    this.world.style.setProperty("transform", `translate(${left}px, ${top}px) scale(${scale})`);
    for (const layer of [this.matte, this.overlay]) {
      layer.style.setProperty("transform", `translate(${left}px, ${top}px)`);
      layer.style.setProperty("width", `${this.width * scale}px`);
      layer.style.setProperty("height", `${this.height * scale}px`);
    }
    this.root.classList.toggle("pixelated", scale > PIXELATED_ABOVE);
    for (const { node, x, y } of this.marks) {
      const [markLeft, markTop] = this.toScreen(x, y);
      node.style.setProperty("transform", `translate(${markLeft}px, ${markTop}px)`);
    }
  }

  listen() {
    const pointers = new Map();
    let travelled = 0;
    let spread = 0;
    this.root.addEventListener("wheel", (event) => {
      event.preventDefault();
      const speed = event.ctrlKey ? 0.01 : 0.0016;
      this.camera.zoomAt(...this.toImage(event.clientX, event.clientY), Math.exp(-event.deltaY * speed));
    }, { passive: false });
    this.root.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest("button, a")) return;
      this.root.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
      travelled = 0;
      spread = 0;
    });
    this.root.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const [dx, dy] = [event.clientX - before[0], event.clientY - before[1]];
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
      travelled += Math.abs(dx) + Math.abs(dy);
      if (pointers.size === 2) {
        const [[ax, ay], [bx, by]] = [...pointers.values()];
        const now = Math.hypot(ax - bx, ay - by);
        if (spread) this.camera.zoomAt(...this.toImage((ax + bx) / 2, (ay + by) / 2), now / spread);
        spread = now;
      } else if (travelled > 3) {
        this.camera.panBy(dx, dy);
      }
    });
    const end = (event) => {
      if (!pointers.delete(event.pointerId)) return;
      if (travelled <= 3 && event.type === "pointerup") this.onpick(...this.toImage(event.clientX, event.clientY));
    };
    this.root.addEventListener("pointerup", end);
    this.root.addEventListener("pointercancel", end);
    this.root.addEventListener("dblclick", () => this.camera.fit());
  }
}
