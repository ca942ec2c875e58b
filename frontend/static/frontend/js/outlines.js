// Outlines of masks along the borders of their pixels.

/** COCO's uncompressed run lengths {size: [height, width], counts} -> Uint8Array of 0 and 1, column by column. */
export function decodeRuns({ size: [height, width], counts }) {
  const mask = new Uint8Array(height * width);
  let at = 0;
  counts.forEach((count, index) => {
    if (index % 2) mask.fill(1, at, at + count);
    at += count;
  });
  return mask;
}

/** SVG path data of a mask given as run lengths; holes are separate loops (fill-rule evenodd). */
export function outlinePath(runs) {
  const [height, width] = runs.size;
  const mask = decodeRuns(runs);
  return pathOf(loopsOf((x, y) => mask[x * height + y] === 1, width, height), width);
}

/**
 * The borders between pixels that are set and others, one loop for each closed line. A loop is a list of pixel corners
 * y * (width + 1) + x, one for each step of a pixel, with what is set on its right hand.
 */
export function loopsOf(isSet, width, height) {
  const isInside = (x, y) => x >= 0 && y >= 0 && x < width && y < height && isSet(x, y);
  const stride = width + 1;
  const leaving = new Map();
  const edge = (x0, y0, x1, y1) => {
    const from = y0 * stride + x0;
    const to = y1 * stride + x1;
    if (leaving.has(from)) leaving.get(from).push(to);
    else leaving.set(from, [to]);
  };
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if (!isSet(x, y)) continue;
      if (!isInside(x, y - 1)) edge(x, y, x + 1, y);
      if (!isInside(x + 1, y)) edge(x + 1, y, x + 1, y + 1);
      if (!isInside(x, y + 1)) edge(x + 1, y + 1, x, y + 1);
      if (!isInside(x - 1, y)) edge(x, y + 1, x, y);
    }
  }
  return closed(leaving);
}

function closed(leaving) {
  const found = [];
  for (const [start, ends] of leaving) {
    while (ends.length) {
      const loop = [start];
      let at = ends.pop();
      while (at !== start) {
        loop.push(at);
        at = leaving.get(at).pop();
      }
      found.push(loop);
    }
  }
  return found;
}

/** SVG path data through the corners where the loops turn. */
export function pathOf(loops, width) {
  const stride = width + 1;
  return loops.map((loop) => {
    const turns = loop.filter((at, index) => {
      const before = loop[(index + loop.length - 1) % loop.length];
      const after = loop[(index + 1) % loop.length];
      return at - before !== after - at;
    });
    return `M${turns.map((at) => `${at % stride} ${Math.floor(at / stride)}`).join("L")}Z`;
  }).join("");
}
