// The worst-case matte: the plain colour on which this layer's edge stands out most.

const LEVELS = [0, 128, 255];
const CANDIDATES = LEVELS.flatMap((red) => LEVELS.flatMap((green) => LEVELS.map((blue) => [red, green, blue])));
const MOST_PIXELS = 4000;
const QUANTILE = 0.25; // of a mean, one bright rim would hide that the dark half of the edge is lost on black

/** "rgb(...)" for {width, height, rgba}: the colour from which three quarters of the edge are farthest, in Oklab. */
export function worstMatte(pixels) {
  const edge = edgeColours(pixels);
  const mattes = CANDIDATES.map((colour) => {
    const lab = oklab(colour);
    const distances = Float64Array.from(edge, (other) => Math.hypot(other[0] - lab[0], other[1] - lab[1], other[2] - lab[2])).sort();
    return { colour, distance: distances[Math.floor(QUANTILE * distances.length)] ?? 0 };
  });
  const worst = mattes.reduce((best, matte) => (matte.distance > best.distance ? matte : best));
  return `rgb(${worst.colour.join(" ")})`;
}

/** Half-transparent pixels, or, where a cut is hard, the last opaque ones beside a transparent one. */
function edgeColours({ width, height, rgba }) {
  const alphaAt = (index) => rgba[4 * index + 3];
  const soft = [];
  const hard = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const index = y * width + x;
      const alpha = alphaAt(index);
      if (alpha > 15 && alpha < 240) soft.push(index);
      else if (alpha >= 240 && ((x && alphaAt(index - 1) < 16) || (y && alphaAt(index - width) < 16))) hard.push(index);
    }
  }
  const chosen = soft.length ? soft : hard;
  const step = Math.ceil(chosen.length / MOST_PIXELS) || 1;
  return chosen.filter((_, at) => at % step === 0).map((index) => oklab(rgba.subarray(4 * index, 4 * index + 3)));
}

/** Oklab (Ottosson 2020) of sRGB bytes. */
function oklab([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((byte) => (byte <= 10 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4));
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
