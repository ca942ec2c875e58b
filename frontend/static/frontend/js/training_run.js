// One training run: the loss, drawn by uPlot in the colours of the theme, and the page renewed while the run is live.

import { $, make, pageData } from "./dom.js";
import { refresh } from "./morph.js";

const { uPlot } = window; // vendor/uplot, loaded before this module

const EVERY_MS = 2000;
const RENEWED = ["run-head", "run-state", "run-figures", "run-table", "run-samples", "run-validation", "run-facts", "run-log", "run-data"];
const HEIGHT = 260;
const WINDOW = 8;

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const root = $("#loss-plot");
let plot = null;

/** The mean of each step and those before it; steps whose loss was not finite are left out. */
const smoothed = (values) => values.map((_, at) => {
  const some = values.slice(Math.max(0, at - WINDOW + 1), at + 1).filter((value) => value != null);
  return some.length ? some.reduce((sum, value) => sum + value, 0) / some.length : null;
});

function hint(columns) {
  const box = make("div", { class: "hint", hidden: true });
  return {
    hooks: {
      init: (drawn) => {
        drawn.over.append(box);
        drawn.over.addEventListener("mouseleave", () => { box.hidden = true; });
      },
      setCursor: (drawn) => {
        const { idx, left } = drawn.cursor;
        box.hidden = idx == null || left < 0;
        if (box.hidden) return;
        const [steps, mean, each] = columns;
        const say = (value) => (value == null ? "not finite" : value.toFixed(4));
        box.replaceChildren(make("b", {}, `Step ${steps[idx]}`), make("dl", {},
          make("i", { class: "swatch c1" }), make("dt", {}, "mean of 8"), make("dd", {}, say(mean[idx])),
          make("i", { class: "swatch c9" }), make("dt", {}, "this step"), make("dd", {}, say(each[idx]))));
        const room = drawn.over.clientWidth;
        box.style.transform = `translate(${left > room / 2 ? left - box.offsetWidth - 12 : left + 12}px, 0)`;
      },
    },
  };
}

function draw() {
  const { steps, step, loss } = pageData("run-data");
  plot?.destroy();
  plot = null;
  if (!step.length) {
    root.replaceChildren(make("p", { class: "dim" }, "The line begins with the first step."));
    return;
  }
  root.replaceChildren();
  const columns = [step, smoothed(loss), loss];
  const look = { stroke: token("text-3"), font: `11px ${token("font")}`, ticks: { show: false } };
  plot = new uPlot({
    width: root.clientWidth,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { time: false, range: () => [0, Math.max(steps, step.at(-1))] } },
    axes: [
      { ...look, grid: { show: false }, size: 28, space: 64 },
      { ...look, grid: { stroke: token("grid"), width: 1 }, size: 48 },
    ],
    series: [
      {},
      { stroke: token("c1"), width: 2, points: { show: step.length < 3 } },
      { stroke: token("c9"), width: 1, points: { show: false } },
    ],
    plugins: [hint(columns)],
  }, columns, root);
}

async function watch() {
  if (!$("#run-head").hasAttribute("data-live")) return;
  if (!document.hidden) {
    const isThere = await refresh(...RENEWED).catch(() => false);
    const tag = $("#live-tag");
    if (tag && !isThere) {
      tag.dataset.state = "lost";
      tag.lastChild.data = "No answer, trying again";
    }
    if (isThere) draw();
  }
  setTimeout(watch, EVERY_MS);
}

draw();
watch();
new ResizeObserver(() => {
  if (plot && root.clientWidth && root.clientWidth !== plot.width) plot.setSize({ width: root.clientWidth, height: HEIGHT });
}).observe(root);
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
