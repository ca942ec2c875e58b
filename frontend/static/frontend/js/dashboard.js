// The dashboard: two charts of time, drawn by uPlot in the colours of the theme, and the page renewed every minute.

import { $, $$, make, pageData } from "./dom.js";
import { refresh } from "./morph.js";

const { uPlot } = window; // vendor/uplot, loaded before this module

const EVERY_MS = 60_000;
const RENEWED = ["alarms", "acts-running", "figures", "accepted", "defects", "people", "engine", "queues", "workers", "dashboard-data"];
const HEIGHT = 236;
const COLOURS = ["c1", "c2", "c3", "c4", "c5"];
const OTHERS = "c9";

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const whole = (number) => Math.round(number).toLocaleString("en-GB").replaceAll(",", "\u202f");
const short = (number) => (number >= 10_000 ? `${Math.round(number / 1000)}k` : whole(number));
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

const axes = (step) => {
  const look = { stroke: token("text-3"), font: `11px ${token("font")}`, ticks: { show: false } };
  const say = (seconds) => (step < 86_400 ? clock : day).format(new Date(1000 * seconds));
  return [
    { ...look, grid: { show: false }, size: 28, space: 64, values: (_, splits) => splits.map(say) },
    { ...look, grid: { stroke: token("grid"), width: 1 }, size: 40, values: (_, splits) => splits.map(short) },
  ];
};

/** A box beside the pointer that says what is under it; `tell(index)` gives its title and rows [colour, name, value]. */
function hint(tell) {
  const box = make("div", { class: "hint", hidden: true });
  return {
    hooks: {
      init: (plot) => {
        plot.over.append(box);
        plot.over.addEventListener("mouseleave", () => { box.hidden = true; });
      },
      setCursor: (plot) => {
        const { idx, left } = plot.cursor;
        const told = idx == null || left < 0 ? null : tell(idx);
        box.hidden = told == null;
        if (!told) return;
        const rows = told.rows.flatMap(([colour, name, value]) => [
          make("i", { class: `swatch ${colour}` }), make("dt", {}, name), make("dd", {}, value),
        ]);
        box.replaceChildren(make("b", {}, told.title), make("dl", {}, rows));
        const room = plot.over.clientWidth;
        box.style.transform = `translate(${left > room / 2 ? left - box.offsetWidth - 12 : left + 12}px, 0)`;
      },
    },
  };
}

function columns(root, { starts, stepS, series }) {
  const colour = (number) => (number < COLOURS.length ? COLOURS[number] : OTHERS);
  const sums = [];
  for (const { values } of series) sums.push(values.map((value, i) => value + (sums.at(-1)?.[i] ?? 0)));
  const when = stepS < 86_400 ? clock : day;
  const tell = (i) => ({
    title: when.format(new Date(1000 * starts[i])),
    rows: [
      ...series.map(({ name, values }, n) => [colour(n), name, whole(values[i])]).reverse(),
      ...(series.length > 1 ? [["", "All", whole(sums.at(-1)[i])]] : []),
    ],
  });
  $("#throughput-legend").replaceChildren(
    ...series.map(({ name }, n) => make("span", {}, make("i", { class: `swatch ${colour(n)}` }), name)),
  );
  // The tallest sum is drawn first, and each smaller one over it.
  const order = sums.map((_, n) => n).reverse();
  const bars = uPlot.paths.bars({ size: [0.66, 56], align: 1 });
  return new uPlot({
    width: root.clientWidth,
    height: HEIGHT,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    axes: axes(stepS),
    scales: { x: { range: () => [starts[0], starts.at(-1) + stepS] }, y: { range: (_, low, high) => [0, Math.max(4, high * 1.08)] } },
    series: [{}, ...order.map((n) => ({ label: series[n].name, fill: token(colour(n)), stroke: token("surface"), width: 1, paths: bars, points: { show: false } }))],
    plugins: [hint(tell)],
  }, [starts, ...order.map((n) => sums[n].map((sum) => sum || null))], root);
}

function burndown(root, { times, left, forecast }) {
  const DAY_S = 86_400;
  const [now, rest] = [times.at(-1), left.at(-1)];
  const past = now - times[0];
  // A far or uncertain end would press what has happened into a corner.
  const reach = forecast && rest ? Math.min(forecast.high ?? forecast.days, Math.max(2 * forecast.days, past / DAY_S)) * DAY_S : 0;
  const ends = forecast && rest ? [forecast.low, forecast.days, forecast.high].filter((d) => d != null).map((d) => now + d * DAY_S) : [];
  const later = [...new Set([...ends, now + reach])].filter((t) => t > now && t <= now + reach).sort((a, b) => a - b);
  const all = [...times, ...later];
  const line = (days) => all.map((t) => (t < now || days == null ? null : Math.max(0, rest * (1 - (t - now) / (days * DAY_S || 1)))));
  const c1 = token("c1");
  const soft = (share) => `color-mix(in srgb, ${c1} ${share}%, transparent)`;
  const dashed = { stroke: c1, width: 1.5, dash: [4, 3], points: { show: false } };
  const edge = { stroke: "transparent", width: 0, points: { show: false } };
  const past_ = all.map((t, i) => (i < times.length ? left[i] : null));
  return new uPlot({
    width: root.clientWidth,
    height: HEIGHT,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    axes: axes(past + reach > 3 * DAY_S ? DAY_S : 3600),
    scales: { y: { range: (_, low, high) => [0, Math.max(4, high * 1.05)] } },
    series: [{}, { label: "Left", stroke: c1, width: 2, fill: soft(12), points: { show: false } }, dashed, edge, edge],
    bands: [{ series: [4, 3], fill: soft(24) }],
    plugins: [hint((i) => ({
      title: day.format(new Date(1000 * all[i])),
      rows: i < times.length
        ? [["c1", "left", whole(left[i])]]
        : [["c1", "expected", whole(line(forecast.days)[i])], ...(forecast.low == null ? [] : [["", "95 %", `${whole(line(forecast.low)[i])} to ${whole(line(forecast.high)[i])}`]])],
    }))],
  }, [all, past_, line(forecast?.days), line(forecast?.low), line(forecast?.high)], root);
}

const CHARTS = { throughput: columns, burndown };
const plots = {};

function draw() {
  const data = pageData("dashboard-data");
  for (const [name, make_] of Object.entries(CHARTS)) {
    const root = document.getElementById(name);
    plots[name]?.destroy();
    if (root) plots[name] = make_(root, data[name]);
  }
}

async function renew() {
  if (document.hidden || $("dialog[open]")) return;
  const tag = $("#live-tag");
  const isThere = await refresh(...RENEWED).catch(() => false);
  tag.dataset.state = isThere ? "" : "lost";
  tag.lastChild.data = isThere ? "Live" : "No answer, trying again";
  if (isThere) draw();
}

/** The dialog says whom it is about and what would happen before anything does. */
function offerActs() {
  const dialog = $("#acts");
  if (!dialog) return;
  $("#people").addEventListener("click", (event) => {
    const button = event.target.closest("[data-act-on]");
    if (!button) return;
    const { actOn, name, holds } = button.dataset;
    for (const input of $$("input[name=username]", dialog)) input.value = actOn;
    for (const option of $$("option", dialog)) option.hidden = option.value === actOn;
    $("[data-name]", dialog).textContent = name;
    $("[data-holds]", dialog).textContent = holds;
    for (const button_ of $$("[value=release], [value=reassign]", dialog)) button_.disabled = holds === "0";
    dialog.showModal();
  });
  $("[data-close]", dialog).addEventListener("click", () => dialog.close());
}

draw();
offerActs();
setInterval(renew, EVERY_MS);
new ResizeObserver(() => {
  for (const [name, plot] of Object.entries(plots)) {
    const { clientWidth } = document.getElementById(name);
    if (clientWidth && clientWidth !== plot.width) plot.setSize({ width: clientWidth, height: HEIGHT });
  }
}).observe($("#main"));
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
