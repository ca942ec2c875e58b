// The stack of layers against the photo: where the two differ, as a heat-map, and how much, as numbers.

export const HOT = 64; // a mean difference of the three channels from here on has the last colour of the scale

/**
 * photo and pictures (back to front) are decoded pictures of the photo's size; colours is a CSS gradient's list.
 * Returns {image, mean, p99}: ImageData, and the mean and 99th percentile of |stack - photo| in 0..255.
 */
export function residualOf(photo, pictures, colours) {
  const canvas = new OffscreenCanvas(photo.naturalWidth, photo.naturalHeight);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillRect(0, 0, canvas.width, canvas.height); // where no layer is, the stack is black
  for (const picture of pictures) pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  pen.globalCompositeOperation = "difference";
  pen.drawImage(photo, 0, 0);
  const image = pen.getImageData(0, 0, canvas.width, canvas.height);
  const scale = scaleOf(colours);
  const counts = new Uint32Array(3 * 255 + 1);
  const { data } = image;
  for (let at = 0; at < data.length; at += 4) {
    const sum = data[at] + data[at + 1] + data[at + 2];
    counts[sum]++;
    const heat = 4 * Math.min(255, Math.round((255 * sum) / (3 * HOT)));
    data[at] = scale[heat];
    data[at + 1] = scale[heat + 1];
    data[at + 2] = scale[heat + 2];
    data[at + 3] = 255;
  }
  return { image, ...summary(counts, data.length / 4) };
}

function summary(counts, total) {
  let sum = 0;
  let seen = 0;
  let p99 = 0;
  counts.forEach((count, difference) => {
    if (seen < 0.99 * total) p99 = difference / 3;
    seen += count;
    sum += (count * difference) / 3;
  });
  return { mean: sum / total, p99 };
}

/** 256 colours along the gradient, as bytes. */
function scaleOf(colours) {
  const pen = new OffscreenCanvas(256, 1).getContext("2d");
  const gradient = pen.createLinearGradient(0, 0, 256, 0);
  const stops = colours.split(",");
  stops.forEach((colour, index) => gradient.addColorStop(index / (stops.length - 1), colour.trim()));
  pen.fillStyle = gradient;
  pen.fillRect(0, 0, 256, 1);
  return pen.getImageData(0, 0, 256, 1).data;
}
