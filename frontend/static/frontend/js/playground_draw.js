// Prompts drawn on the photo: points beside what the repair page's easel draws; paint becomes a mask as run lengths.

import { makeSvg } from "./dom.js";
import { Easel } from "./repair_draw.js";

const unscaled = { "vector-effect": "non-scaling-stroke" };

export class PromptEasel extends Easel {
  /** Beside the easel's: onpoint([x, y]). */
  constructor(root, panes) {
    super(root, panes);
    Object.assign(this, { tool: "point", hardness: 1 });
    this.onpoint = () => {};
  }

  get draws() {
    return this.tool !== "drag" && super.draws;
  }

  extend(place) {
    if (this.tool !== "point") super.extend(place);
  }

  end() {
    if (this.tool !== "point") return super.end();
    const [[x, y]] = this.drawn.points;
    this.set({ drawn: null });
    return this.onpoint([Math.min(x, this.width - 0.5), Math.min(y, this.height - 0.5)]);
  }

  picture() {
    if (this.tool !== "point") return super.picture();
    if (!this.isShown || !this.draws || !this.cursor) return [];
    const [x, y] = this.cursor;
    const d = `M0 ${y}H${this.width}M${x} 0V${this.height}`;
    return [makeSvg("path", { class: "under", d, ...unscaled }), makeSvg("path", { class: "cross", d, ...unscaled })];
  }
}

/** What the strokes paint in a picture of this size, as COCO's uncompressed run lengths; null when it is nothing. */
export function maskOf(strokes, width, height) {
  if (!strokes.some(({ tool }) => tool === "paint")) return null;
  const context = contextOf(width, height);
  Object.assign(context, { lineCap: "round", lineJoin: "round" });
  for (const { tool, points, width_px: lineWidth } of strokes) {
    Object.assign(context, { lineWidth, globalCompositeOperation: tool === "paint" ? "source-over" : "destination-out" });
    context.beginPath();
    context.moveTo(...points[0]);
    for (const point of points.length > 1 ? points.slice(1) : points) context.lineTo(...point);
    context.stroke();
  }
  return runsOf(context, width, height);
}

/** Where at least one of the pictures is more than half opaque. */
export function maskOfPictures(pictures, width, height) {
  if (!pictures.length) return null;
  const context = contextOf(width, height);
  for (const picture of pictures) context.drawImage(picture, 0, 0, width, height);
  return runsOf(context, width, height);
}

/** Is the picture more than half opaque at this pixel? */
export function isSolidAt(picture, x, y) {
  const context = contextOf(1, 1);
  context.drawImage(picture, -Math.floor(x), -Math.floor(y));
  return context.getImageData(0, 0, 1, 1).data[3] > 127;
}

const contextOf = (width, height) => Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });

function runsOf(context, width, height) {
  const { data } = context.getImageData(0, 0, width, height);
  const counts = [];
  let [run, value] = [0, false];
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if (data[4 * (y * width + x) + 3] > 127 !== value) {
        counts.push(run);
        [run, value] = [0, !value];
      }
      run += 1;
    }
  }
  counts.push(run);
  return counts.length > 1 ? { size: [height, width], counts } : null;
}
