// The playground: what is pointed at in the photo comes back as a layer, by one checkpoint or by two side by side.

import { Camera, Pane } from "./camera.js";
import { $, $$, icon, make, makeSvg, pageData, toast } from "./dom.js";
import { postForFile } from "./http.js";
import { openKeySheet } from "./key_sheet.js";
import { applyChanges } from "./keymap.js";
import { bindKeys } from "./keys.js";
import { mattePicker, MATTES, neighbourOf } from "./mattes.js";
import { isSolidAt, maskOf, maskOfPictures, PromptEasel } from "./playground_draw.js";
import { playgroundKeys } from "./playground_keys.js";
import { Stack } from "./playground_stack.js";
import { loadPicture } from "./queue.js";
import { boxMark, STROKES, strokeMark } from "./repair_draw.js";
import { History, NO_MARKS } from "./repair_marks.js";
import * as veils from "./veils.js";

const page = pageData("playground-data");
const NO_PROMPT = { ...NO_MARKS, points: [], text: "" };
const NOT_HERE = ["worst", "ghost", "alpha", "ruby", "colours"];
const SOON_MS = 250;
const percent = (share) => `${(100 * share).toFixed(1)} %`;

const camera = new Camera();
const photo = new Pane($("#photo-pane"), camera);
const answers = ["#answer-pane", "#other-pane"].map((id) => new Pane($(id), camera));
const easel = new PromptEasel($("#panes"), [photo]);
const marks = makeSvg("g", { class: "marks-drawn" });
const stack = new Stack(page.photo?.id);
let history = new History(NO_PROMPT);
let current = null; // the layer that the prompt on the photo is about
let matte = "checker-light";
let timer = 0;

const chosen = () => [$("#first").value, $("#second").value].filter(Boolean);

// --- opening ----------------------------------------------------------------------------------------------------
async function open() {
  if (!page.photo) return veils.showMessage("image", "No photo yet", "Layers are cut from photos of the project.", [["Choose or add a photo", openPhotos], ["Back", page.urls.back]]);
  veils.showLoading();
  const { width, height, url } = page.photo;
  let picture;
  try {
    picture = await loadPicture(url);
  } catch {
    return veils.showMessage("alert", "The photo cannot be loaded", "Try again in a moment.", [["Try again", () => location.reload()], ["Back", page.urls.back]]);
  }
  photo.world.replaceChildren(picture);
  photo.overlay.append(marks);
  for (const pane of [photo, ...answers]) pane.setSize(width, height);
  for (const root of [photo.root, ...answers.map((pane) => pane.root)]) root.tabIndex = 0;
  photo.root.setAttribute("role", "application");
  photo.root.setAttribute("aria-label", "Photo. Arrow keys move the cross, Space marks the place.");
  easel.setSize(width, height);
  easel.set({ size: Math.max(4, Math.round(Math.min(width, height) / 25)) });
  veils.lift();
  drawAll();
  camera.fit();
  document.body.dataset.playing = page.photo.id;
  return null;
}

// --- the prompt -------------------------------------------------------------------------------------------------
function change(part) {
  history.change(part);
  changed();
}

function changed() {
  drawAll();
  clearTimeout(timer);
  timer = setTimeout(askCurrent, SOON_MS);
}

const hasPlace = ({ points, box, strokes }) => points.length > 0 || box !== null || strokes.some(({ tool }) => tool === "paint");

function askCurrent() {
  clearTimeout(timer);
  const { now } = history;
  const mask = maskOf(now.strokes, page.photo.width, page.photo.height);
  const isAsked = now.points.length || now.box || mask || now.text;
  if (!isAsked) {
    if (current) stack.remove(current);
    current = null;
    return;
  }
  const prompt = { points: now.points, box: now.box, mask, text: now.text };
  const name = now.text || `${hasPlace(now) && now.box ? "Box" : mask ? "Paint" : "Point"} ${stack.made + (current ? 0 : 1)}`;
  current ??= stack.add(name, prompt);
  Object.assign(current, { name: now.text || current.name, prompt });
  stack.ask(current, chosen());
}

/** The layer stays; the next mark begins another one. */
function keep() {
  if (!current) return;
  $("#announce").textContent = `${current.name} is kept.`;
  current = null;
  history = new History(NO_PROMPT);
  drawAll();
}

/** Everything that was cut out is taken away; without layers the network says what stands in front. */
function background() {
  keep();
  const { width, height } = page.photo;
  const unmoved = stack.shown(chosen()[0]).filter(({ prompt }) => prompt.kind !== "background");
  const mask = maskOfPictures(unmoved.map((layer) => layer.answers[chosen()[0]].picture), width, height);
  const layer = stack.add("Background", { kind: "background", mask });
  stack.ask(layer, chosen());
}

easel.onpoint = (point) => change({ points: [...history.now.points, point] });
easel.onbox = (box) => change({ box });
easel.onstroke = (stroke) => change({ strokes: [...history.now.strokes, stroke] });
const undo = () => history.undo() && changed();
const redo = () => history.redo() && changed();

// --- dragging layers about --------------------------------------------------------------------------------------
let dragged = null;
for (const [index, pane] of answers.entries()) {
  pane.root.addEventListener("pointerdown", (event) => {
    if (easel.tool !== "drag" || event.button !== 0) return;
    const [x, y] = pane.toImage(event.clientX, event.clientY);
    const checkpoint = chosen()[index];
    const layer = stack.shown(checkpoint).find(({ answers: by, dx, dy }) => isSolidAt(by[checkpoint].picture, x - dx, y - dy));
    if (!layer) return;
    event.stopPropagation();
    pane.root.setPointerCapture(event.pointerId);
    dragged = { layer, x: x - layer.dx, y: y - layer.dy, pointer: event.pointerId };
    pick(layer);
  }, { capture: true });
  pane.root.addEventListener("pointermove", (event) => {
    if (dragged?.pointer !== event.pointerId) return;
    const [x, y] = pane.toImage(event.clientX, event.clientY);
    Object.assign(dragged.layer, { dx: Math.round(x - dragged.x), dy: Math.round(y - dragged.y) });
    drawPanes();
  });
  for (const name of ["pointerup", "pointercancel"]) pane.root.addEventListener(name, () => { dragged = null; });
}

function pick(layer) {
  stack.picked = layer;
  drawLayers();
}

function nudge(dx, dy) {
  if (!stack.picked) return;
  stack.picked.dx += dx;
  stack.picked.dy += dy;
  drawPanes();
}

function hide(layer) {
  if (!layer) return;
  layer.isHidden = !layer.isHidden;
  drawAll();
}

function remove(layer) {
  if (!layer) return;
  if (layer === current) {
    current = null;
    history = new History(NO_PROMPT);
  }
  stack.remove(layer);
}

// --- what is shown ----------------------------------------------------------------------------------------------
function drawAll() {
  if (!page.photo) return;
  const { strokes, box, points, text } = history.now;
  marks.replaceChildren(...(box ? boxMark(box) : []), ...strokes.flatMap(strokeMark));
  photo.clearMarks();
  for (const [x, y] of points) photo.mark(make("div", { class: "point-mark" }), x, y);
  photo.paint();
  if (document.activeElement !== $("#text")) $("#text").value = text;
  $("#undo").disabled = !history.past.length;
  $("#redo").disabled = !history.future.length;
  $("#keep").disabled = !current;
  drawPanes();
  drawLayers();
}

function drawPanes() {
  const names = chosen();
  for (const [index, pane] of answers.entries()) {
    const name = names[index];
    pane.root.hidden = !name;
    if (!name) continue;
    const shown = stack.shown(name);
    pane.root.dataset.matte = matte;
    pane.root.classList.toggle("dragging", easel.tool === "drag");
    pane.root.classList.toggle("busy", stack.layers.some((layer) => layer.answers[name]?.state === "asking"));
    pane.root.setAttribute("aria-label", `${shown.length} layers by ${name}`);
    pane.caption.replaceChildren(make("b", {}, name), ` ${shown.length} layer${shown.length === 1 ? "" : "s"}`);
    pane.world.replaceChildren(...shown.toReversed().map((layer) => {
      const { picture } = layer.answers[name];
      picture.style.setProperty("transform", `translate(${layer.dx}px, ${layer.dy}px)`);
      return picture;
    }));
  }
}

function drawLayers() {
  const names = chosen();
  $("#layers-count").textContent = stack.layers.length || "";
  $("#no-layers").hidden = stack.layers.length > 0;
  $("#documents").hidden = !stack.shown(names[0]).length;
  const focused = document.activeElement?.closest?.("#layers button")?.getAttribute("aria-label");
  $("#layers").replaceChildren(...stack.layers.map((layer, index) => {
    const act = (name, symbol, press, isOff = false) => make("button", { type: "button", title: name, "aria-label": `${name} ${layer.name}`, disabled: isOff, onclick: press }, icon(symbol, "small"));
    return make("li", { class: [layer === stack.picked && "on", layer.isHidden && "off"].filter(Boolean).join(" ") },
      make("button", { type: "button", class: "name", "aria-pressed": String(layer === stack.picked), onclick: () => pick(layer) },
        make("b", {}, layer.name), names.map((name) => stateOf(name, layer.answers[name]))),
      make("span", { class: "acts" },
        act(layer.isHidden ? "Show" : "Hide", layer.isHidden ? "eyeoff" : "eye", () => hide(layer)),
        act("Forward", "aup", () => stack.reorder(layer, -1), index === 0),
        act("Backward", "adown", () => stack.reorder(layer, 1), index === stack.layers.length - 1),
        act("Remove", "trash", () => remove(layer))));
  }));
  if (focused) $$("#layers button").find((button) => button.getAttribute("aria-label") === focused)?.focus();
  drawPicked(names);
}

function stateOf(name, answer) {
  if (answer?.state === "failed") return make("small", { class: "bad" }, `${name}: ${answer.words}`);
  if (answer?.state === "done") return make("small", {}, `${name}, ${answer.seconds.toFixed(2)} s`);
  return make("small", {}, `${name} …`);
}

function drawPicked(names) {
  const layer = stack.picked;
  const done = layer ? names.filter((name) => layer.answers[name]?.layer) : [];
  $("#picked").hidden = !done.length;
  if (!done.length) return;
  $("#picked-name").textContent = layer.name;
  const rows = [["covers", "area_share"], ["behind others", "hidden_share"], ["soft edge", "soft_share"]];
  $("#facts").replaceChildren(...done.flatMap((name) => rows.flatMap(([words, field]) => [
    make("dt", {}, done.length > 1 ? `${name} ${words}` : words), make("dd", {}, percent(layer.answers[name].layer[field])),
  ])));
  $("#downloads").replaceChildren(...done.map((name) => make(
    "a", { class: "button small", href: layer.answers[name].layer.rgba, download: `${layer.name} by ${name}.png` }, icon("down", "small"), done.length > 1 ? `PNG by ${name}` : "PNG",
  )));
}

stack.onchange = () => {
  drawAll();
  const isAsking = stack.layers.some(({ answers: by }) => Object.values(by).some(({ state }) => state === "asking"));
  $("#round").textContent = isAsking ? "Asking" : "";
  document.body.dataset.answered = String(stack.layers.flatMap(({ answers: by }) => Object.values(by)).filter(({ state }) => state === "done").length);
};
stack.onsignedout = () => veils.showMessage("lock", "You are signed out", "The layers here are gone with the page.", [["Sign in", page.urls.sign_in]]);

// --- who answers ------------------------------------------------------------------------------------------------
function choose() {
  const first = $("#first").value;
  const second = $("#second");
  if (second.value === first) second.value = "";
  for (const option of second.options) option.disabled = option.value === first;
  $("#words").replaceChildren(...page.predictors.filter(({ name }) => chosen().includes(name)).map(({ name, words }) => make("p", {}, make("b", {}, name), ` ${words}`)));
  for (const layer of stack.layers) stack.ask(layer, chosen());
  drawAll();
  if (page.photo && camera.isFitted) camera.fit();
}

// --- taking it home ---------------------------------------------------------------------------------------------
/** What the first checkpoint's pane shows, as one document. */
async function take(format) {
  const [checkpoint] = chosen();
  const layers = stack.shown(checkpoint).map(({ name, dx, dy, answers: by }) => ({ prediction: by[checkpoint].id, name, dx, dy }));
  const response = await postForFile("/api/predict/document/", { format, layers }).catch(() => null);
  if (!response?.ok) return toast([icon("alert"), (await response?.json().catch(() => null))?.detail ?? "The server does not answer. Try again."], 5000);
  const url = URL.createObjectURL(await response.blob());
  make("a", { href: url, download: `layers.${format}` }).click();
  return setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
for (const button of $$("#documents button")) button.addEventListener("click", () => take(button.value));

// --- photos -----------------------------------------------------------------------------------------------------
const photos = $("#photos");
const form = $("#upload");
function openPhotos() {
  photos.showModal();
}

async function upload(file) {
  const body = new FormData(form);
  body.set("file", file, file.name);
  $("#upload-error").textContent = "";
  const token = body.get("csrfmiddlewaretoken");
  const response = await fetch("/api/images/", { method: "POST", body, credentials: "same-origin", headers: { "X-CSRFToken": token, Accept: "application/json" } }).catch(() => null);
  const data = await response?.json().catch(() => null);
  if (response?.ok) location.assign(`${page.urls.here}?photo=${data.id}`);
  else {
    if (!photos.open) openPhotos();
    $("#upload-error").textContent = data?.detail ?? "The server does not answer. Try this file again.";
  }
}

if (form) {
  $("input[type=file]", form).addEventListener("change", ({ target }) => target.files[0] && upload(target.files[0]));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) upload(event.dataTransfer.files[0]);
  });
}

// --- wiring -----------------------------------------------------------------------------------------------------
function set(part) {
  easel.set(part);
  for (const button of $$("#tools button")) button.setAttribute("aria-pressed", String(button.value === easel.tool));
  $("#size-row").hidden = !STROKES.includes(easel.tool);
  $("#size").value = easel.size;
  $("#size-px").textContent = `${easel.size} px`;
  drawPanes();
}
const look = (wanted) => {
  matte = wanted;
  showMatte(matte);
  drawPanes();
};
const stepMatte = (step) => {
  let next = matte;
  do next = neighbourOf(next, step); while (NOT_HERE.includes(next));
  look(next);
};
const isOnPhoto = () => document.activeElement === photo.root;

const showMatte = mattePicker($("#mattes"), look);
for (const [id] of MATTES) if (NOT_HERE.includes(id)) $(`#mattes [value=${id}]`).remove();
for (const gap of $$("#mattes .gap")) gap.remove();
camera.onchange = ({ scale }) => { $("#zoom").textContent = `${Math.round(scale * 100)} %`; };
for (const button of $$("#tools button")) button.addEventListener("click", () => set({ tool: button.value, drawn: null }));
$("#size").addEventListener("input", ({ target }) => set({ size: Number(target.value) }));
$("#text").addEventListener("change", ({ target }) => target.value.trim() !== history.now.text && change({ text: target.value.trim() }));
$("#text").addEventListener("keydown", (event) => { if (event.key === "Enter") event.target.blur(); });
$("#undo").addEventListener("click", undo);
$("#redo").addEventListener("click", redo);
$("#keep").addEventListener("click", keep);
$("#background").addEventListener("click", background);
$("#zoom").addEventListener("click", () => camera.fit());
$("#open-photos").addEventListener("click", openPhotos);
$("[data-close]", photos).addEventListener("click", () => photos.close());
for (const select of [$("#first"), $("#second")]) select.addEventListener("change", choose);

const keys = playgroundKeys({
  camera,
  resize: (step) => set({ size: Math.min(200, Math.max(1, easel.size + step * Math.max(1, Math.round(easel.size / 8)))) }),
  text: () => $("#text").focus(),
  hide: () => hide(stack.picked),
  reorder: (by) => stack.picked && stack.reorder(stack.picked, by),
  remove: () => remove(stack.picked),
  nudge,
  stepMatte,
  arrow: (dx, dy, px) => (isOnPhoto() ? easel.step(dx, dy) : camera.panBy(-dx * px, -dy * px)),
  space: () => (isOnPhoto() ? mark() : easel.set({ isMoving: true })),
  spaceUp: () => easel.set({ isMoving: false }),
});

/** With the keyboard a point is one press, everything else pen down and pen up. */
function mark() {
  easel.togglePen();
  if (easel.tool === "point" && easel.drawn) easel.togglePen();
}

applyChanges(keys);
bindKeys(keys);
$("#open-keys").addEventListener("click", () => openKeySheet(keys));
look(matte);
set({});
choose();
open().catch(() => toast([icon("alert"), "Something went wrong. Load the page again."], 6000));
