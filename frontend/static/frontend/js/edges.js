// Places on a layer's contour that deserve a look: halos, jags and hard cuts, found from its alpha and colours.
//
// The contour is the border of alpha 0.5, a list of pixel corners. A place is flagged when its measure stays over a
// limit for some pixels; the limits were set by eye on layers of photographs and on drawn discs (tests). They choose
// where people look first and decide nothing.

import { loopsOf } from "./outlines.js";

const LEAST_LOOP = 24; // px; shorter ones are specks
const LIMITS = { halo: 0.6, jag: 1.9, clip: 0.9 };
const LEAST_RUN = { halo: 6, jag: 8, clip: 14 }; // px along the contour
const MOST_STOPS = 8;
const APART = 0.06; // of the picture's diagonal

/** pixels and photo: {width, height, rgba} of equal size. Returns {path, stops: [{kind, x, y, px}]} in walking order. */
export function findEdges(pixels, photo) {
  const { width, height, rgba } = pixels;
  const loops = loopsOf((x, y) => rgba[4 * (y * width + x) + 3] > 127, width, height);
  const lines = loops.filter((loop) => loop.length >= LEAST_LOOP).map((loop) => new Line(loop, width));
  const found = lines.flatMap((line, number) => [
    ...runs(line, number, "halo", haloAlong(line, pixels, photo)),
    ...runs(line, number, "jag", jagsAlong(line)),
    ...runs(line, number, "clip", clipsAlong(line, pixels)),
  ]);
  const stops = choose(found, APART * Math.hypot(width, height));
  return { path: lines.map((line) => line.path).join(""), stops: stops.length ? stops : evenly(lines, width, height) };
}

/** One closed contour: positions smoothed over a few pixels, because a border of pixels is a staircase. */
class Line {
  constructor(loop, width) {
    this.length = loop.length;
    this.corners = loop.map((at) => [at % (width + 1), Math.floor(at / (width + 1))]);
    this.smooth = this.corners.map((_, index) => this.mean(index, 3));
  }

  at(index) {
    return this.smooth[(index + 8 * this.length) % this.length];
  }

  mean(index, reach) {
    const sum = [0, 0];
    for (let step = -reach; step <= reach; step++) {
      const [x, y] = this.corners[(index + step + this.length) % this.length];
      sum[0] += x / (2 * reach + 1);
      sum[1] += y / (2 * reach + 1);
    }
    return sum;
  }

  /** SVG path data, with the staircase of the pixels taken out. */
  get path() {
    return `M${this.corners.map((_, index) => this.mean(index, 1).map((value) => value.toFixed(1)).join(" ")).join("L")}Z`;
  }

  /** Unit vector to the inside, which lies on the right hand. */
  inward(index) {
    const [before, after] = [this.at(index - 4), this.at(index + 4)];
    const [dx, dy] = [after[0] - before[0], after[1] - before[1]];
    const length = Math.hypot(dx, dy) || 1;
    return [-dy / length, dx / length];
  }
}

const indexAt = ({ width, height }, x, y) => {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  return column < 0 || row < 0 || column >= width || row >= height ? -1 : 4 * (row * width + column);
};

/** 0..1: how far the edge's colour has gone from the colour inside the layer to that of the photo outside. */
function haloAlong(line, pixels, photo) {
  const raw = line.smooth.map(([x, y], index) => {
    const [nx, ny] = line.inward(index);
    const inside = indexAt(pixels, x + 6 * nx, y + 6 * ny);
    const outside = indexAt(photo, x - 5 * nx, y - 5 * ny);
    const edge = indexAt(pixels, x + 0.7 * nx, y + 0.7 * ny);
    if (inside < 0 || outside < 0 || edge < 0 || pixels.rgba[inside + 3] < 230) return 0;
    let along = 0;
    let span = 0;
    for (let channel = 0; channel < 3; channel++) {
      const way = photo.rgba[outside + channel] - pixels.rgba[inside + channel];
      along += way * (pixels.rgba[edge + channel] - pixels.rgba[inside + channel]);
      span += way * way;
    }
    return span < 60 * 60 ? 0 : Math.min(1, Math.max(0, along / span));
  });
  return averaged(raw, 4);
}

/** Radians the line turns to and fro within 24 px without getting anywhere; 0 on any smooth curve. */
function jagsAlong(line) {
  const heading = line.smooth.map((_, index) => {
    const [before, after] = [line.at(index - 2), line.at(index + 2)];
    return Math.atan2(after[1] - before[1], after[0] - before[0]);
  });
  const turn = (index) => {
    const [from, to] = [heading[(index + line.length) % line.length], heading[(index + 3 + line.length) % line.length]];
    return Math.atan2(Math.sin(to - from), Math.cos(to - from));
  };
  return line.smooth.map((_, index) => {
    let there = 0;
    let back = 0;
    for (let step = -12; step < 12; step += 3) {
      const by = turn(index + step);
      there += by;
      back += Math.abs(by);
    }
    return back - Math.abs(there);
  });
}

/** 0..1: share of pixel borders where alpha falls from full to nothing at once, inside the picture. */
function clipsAlong(line, pixels) {
  const raw = line.corners.map(([x0, y0], index) => {
    const [x1, y1] = line.corners[(index + 1) % line.length];
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
    const [nx, ny] = [-(y1 - y0) / 2, (x1 - x0) / 2];
    const inside = indexAt(pixels, x + nx, y + ny);
    const outside = indexAt(pixels, x - nx, y - ny);
    return outside >= 0 && pixels.rgba[inside + 3] - pixels.rgba[outside + 3] > 245 ? 1 : 0;
  });
  return averaged(raw, 4);
}

function averaged(values, reach) {
  const count = values.length;
  return values.map((_, index) => {
    let sum = 0;
    for (let step = -reach; step <= reach; step++) sum += values[(index + step + count) % count];
    return sum / (2 * reach + 1);
  });
}

/** Stretches over the limit, each at its worst pixel. */
function runs(line, number, kind, values) {
  const found = [];
  for (let start = 0; start < values.length; start++) {
    if (values[start] < LIMITS[kind]) continue;
    let end = start;
    while (end < values.length && values[end] >= LIMITS[kind]) end++;
    const worst = kind === "clip" ? (start + end) >> 1 : start + argmax(values.slice(start, end));
    const [x, y] = line.smooth[worst];
    const px = end - start;
    if (px >= LEAST_RUN[kind]) found.push({ kind, x, y, px, number, at: worst, weight: (values[worst] / LIMITS[kind]) * Math.sqrt(px / LEAST_RUN[kind]) });
    start = end;
  }
  return found;
}

const argmax = (values) => values.reduce((best, value, index) => (value > values[best] ? index : best), 0);

/** The weightiest ones that are not too near to each other, in the order of the walk. */
function choose(found, apart) {
  const chosen = [];
  for (const place of found.sort((a, b) => b.weight - a.weight)) {
    const isNear = chosen.some(({ x, y }) => Math.hypot(place.x - x, place.y - y) < apart);
    if (!isNear && chosen.length < MOST_STOPS) chosen.push(place);
  }
  return chosen.sort((a, b) => a.number - b.number || a.at - b.at);
}

/** Nothing flagged: stops at equal distances along the longest contour, without what only follows the picture's frame. */
function evenly(lines, width, height) {
  const isInside = ([x, y]) => x > 2 && y > 2 && x < width - 2 && y < height - 2;
  const longest = lines.map((line) => line.smooth.filter(isInside)).reduce((best, points) => (points.length > best.length ? points : best), []);
  if (longest.length < LEAST_LOOP) return [];
  return Array.from({ length: MOST_STOPS }, (_, stop) => {
    const [x, y] = longest[Math.floor((stop * longest.length) / MOST_STOPS)];
    return { kind: "plain", x, y, px: 0 };
  });
}
