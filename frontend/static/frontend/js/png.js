// The exact pixels of a layer, with the colours under alpha 0. A canvas has lost those: browsers multiply colour with
// alpha when they decode. Layers are always PNGs of 8-bit RGBA without interlacing, so reading one takes few lines.

const BYTES = 4;

/** Resolves to {width, height, rgba}. Rejects when the file cannot be had or is not such a PNG. */
export async function readPng(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the layer's file answered ${answer.status}`);
  const file = new DataView(await answer.arrayBuffer());
  const parts = [];
  let width = 0;
  let height = 0;
  for (let at = 8; at < file.byteLength;) {
    const length = file.getUint32(at);
    const kind = String.fromCharCode(...new Uint8Array(file.buffer, at + 4, 4));
    if (kind === "IHDR") {
      [width, height] = [file.getUint32(at + 8), file.getUint32(at + 12)];
      if (file.getUint8(at + 16) !== 8 || file.getUint8(at + 17) !== 6 || file.getUint8(at + 20)) throw new Error("not a plain RGBA PNG");
    }
    if (kind === "IDAT") parts.push(new Uint8Array(file.buffer, at + 8, length));
    at += length + 12;
  }
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  const lines = new Uint8Array(await new Response(stream).arrayBuffer());
  return { width, height, rgba: unfilter(lines, width, height) };
}

/** Section 9.2 of the PNG specification: every byte was stored as a difference from its neighbours. */
function unfilter(lines, width, height) {
  const stride = width * BYTES;
  const out = new Uint8ClampedArray(stride * height);
  for (let y = 0; y < height; y++) {
    const from = y * (stride + 1) + 1;
    const to = y * stride;
    const filter = lines[from - 1];
    for (let x = 0; x < stride; x++) {
      const left = x < BYTES ? 0 : out[to + x - BYTES];
      const above = y ? out[to + x - stride] : 0;
      const corner = y && x >= BYTES ? out[to + x - stride - BYTES] : 0;
      const guess = filter === 0 ? 0 : filter === 1 ? left : filter === 2 ? above : filter === 3 ? (left + above) >> 1 : paeth(left, above, corner);
      out[to + x] = (lines[from + x] + guess) & 255;
    }
  }
  return out;
}

function paeth(left, above, corner) {
  const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** The colours alone, as if every pixel were opaque. */
export function opaque({ width, height, rgba }) {
  const image = new ImageData(rgba.slice(), width, height);
  for (let at = 3; at < image.data.length; at += BYTES) image.data[at] = 255;
  return image;
}
