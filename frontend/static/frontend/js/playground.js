// The playground: what is pointed at in the photo comes back as a layer, by one checkpoint or by two side by side.

import { Camera, Pane } from "./camera.js";
import { $, $$, icon, make, makeSvg, pageData, toast } from "./dom.js";
import { openKeySheet } from "./key_sheet.js";
import { applyChanges } from "./keymap.js";
import { bindKeys } from "./keys.js";
import { mattePicker, MATTES, neighbourOf } from "./mattes.js";
import { PromptEasel } from "./playground_draw.js";
import { playgroundKeys } from "./playground_keys.js";
import { drawLayers } from "./playground_list.js";
import { AnswerPanes } from "./playground_panes.js";
import { bindPhotos, openPhotos } from "./playground_photos.js";
import { PhotoPrompt } from "./playground_prompt.js";
import { Stack } from "./playground_stack.js";
import { saveAsLayer, takeHome } from "./playground_take.js";
import { loadPicture } from "./queue.js";
import { boxMark, STROKES, strokeMark } from "./repair_draw.js";
import * as veils from "./veils.js";

const page = pageData("playground-data");
const NOT_HERE = ["worst", "ghost", "alpha", "ruby", "colours"];

const chosen = () => [$("#first").value, $("#second").value].filter(Boolean);
const camera = new Camera();
const photo = new Pane($("#photo-pane"), camera);
const answerPanes = ["#answer-pane", "#other-pane"].map((id) => new Pane($(id), camera));
const easel = new PromptEasel($("#panes"), [photo]);
const marks = makeSvg("g", { class: "marks-drawn" });
const stack = new Stack(page.photo?.id);
const prompt = new PhotoPrompt(stack, chosen, page.photo ?? {});
const answers = new AnswerPanes(answerPanes, stack, chosen, () => easel.tool === "drag");

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
  for (const pane of [photo, ...answerPanes]) {
    pane.setSize(width, height);
    pane.root.tabIndex = 0;
  }
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

// --- acts -------------------------------------------------------------------------------------------------------
function keep() {
  const kept = prompt.keep();
  if (kept) $("#announce").textContent = `${kept.name} is kept.`;
}

function pick(layer) {
  stack.picked = layer;
  drawList();
}

function hide(layer) {
  layer.isHidden = !layer.isHidden;
  drawAll();
}

function remove(layer) {
  prompt.forget(layer);
  stack.remove(layer);
}

const reorder = (layer, by) => stack.reorder(layer, by);
const onPicked = (act) => (...given) => stack.picked && act(stack.picked, ...given);

easel.onpoint = (point) => prompt.change({ points: [...prompt.now.points, point] });
easel.onbox = (box) => prompt.change({ box });
easel.onstroke = (stroke) => prompt.change({ strokes: [...prompt.now.strokes, stroke] });

// --- what is shown ----------------------------------------------------------------------------------------------
const drawList = () => drawLayers(stack, chosen(), { pick, hide, reorder, remove });

function drawAll() {
  if (!page.photo) return;
  const { strokes, box, points, text } = prompt.now;
  marks.replaceChildren(...(box ? boxMark(box) : []), ...strokes.flatMap(strokeMark));
  photo.clearMarks();
  for (const [x, y] of points) photo.mark(make("div", { class: "point-mark" }), x, y);
  photo.paint();
  if (document.activeElement !== $("#text")) $("#text").value = text;
  $("#undo").disabled = !prompt.history.past.length;
  $("#redo").disabled = !prompt.history.future.length;
  $("#keep").disabled = !prompt.layer;
  answers.draw();
  drawList();
}

prompt.onchange = drawAll;
answers.onpick = pick;
stack.onchange = () => {
  drawAll();
  const states = stack.layers.flatMap(({ answers: by }) => Object.values(by)).map(({ state }) => state);
  $("#round").textContent = states.includes("asking") ? "Asking" : "";
  document.body.dataset.answered = String(states.filter((state) => state === "done").length);
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

// --- tools and looks --------------------------------------------------------------------------------------------
function set(part) {
  easel.set(part);
  for (const button of $$("#tools button")) button.setAttribute("aria-pressed", String(button.value === easel.tool));
  $("#size-row").hidden = !STROKES.includes(easel.tool);
  $("#size").value = easel.size;
  $("#size-px").textContent = `${easel.size} px`;
  answers.draw();
}

function look(wanted) {
  answers.matte = wanted;
  showMatte(wanted);
  answers.draw();
}

function stepMatte(step) {
  let next = answers.matte;
  do next = neighbourOf(next, step); while (NOT_HERE.includes(next));
  look(next);
}

/** With the keyboard a point is one press, everything else pen down and pen up. */
function mark() {
  easel.togglePen();
  if (easel.tool === "point" && easel.drawn) easel.togglePen();
}

const isOnPhoto = () => document.activeElement === photo.root;

const showMatte = mattePicker($("#mattes"), look);
for (const [id] of MATTES) if (NOT_HERE.includes(id)) $(`#mattes [value=${id}]`).remove();
for (const gap of $$("#mattes .gap")) gap.remove();

// --- wiring -----------------------------------------------------------------------------------------------------
camera.onchange = ({ scale }) => { $("#zoom").textContent = `${Math.round(scale * 100)} %`; };
for (const button of $$("#tools button")) button.addEventListener("click", () => set({ tool: button.value, drawn: null }));
for (const button of $$("#documents button")) button.addEventListener("click", () => takeHome(stack, chosen()[0], button.value));
$("#size").addEventListener("input", ({ target }) => set({ size: Number(target.value) }));
$("#text").addEventListener("change", ({ target }) => target.value.trim() !== prompt.now.text && prompt.change({ text: target.value.trim() }));
$("#text").addEventListener("keydown", (event) => { if (event.key === "Enter") event.target.blur(); });
$("#label").addEventListener("input", ({ target }) => { if (stack.picked) stack.picked.label = target.value; });
$("#save").addEventListener("submit", (event) => {
  event.preventDefault();
  stack.picked.label = $("#label").value.trim();
  saveAsLayer(stack, stack.picked, chosen()[0]);
});
$("#undo").addEventListener("click", () => prompt.undo());
$("#redo").addEventListener("click", () => prompt.redo());
$("#keep").addEventListener("click", keep);
$("#background").addEventListener("click", () => prompt.background());
$("#zoom").addEventListener("click", () => camera.fit());
for (const select of [$("#first"), $("#second")]) select.addEventListener("change", choose);
bindPhotos(page.urls.here);

const keys = playgroundKeys({
  camera,
  resize: (step) => set({ size: Math.min(200, Math.max(1, easel.size + step * Math.max(1, Math.round(easel.size / 8)))) }),
  text: () => $("#text").focus(),
  hide: onPicked(hide),
  reorder: onPicked(reorder),
  remove: onPicked(remove),
  nudge: onPicked((layer, dx, dy) => answers.nudge(layer, dx, dy)),
  stepMatte,
  arrow: (dx, dy, px) => (isOnPhoto() ? easel.step(dx, dy) : camera.panBy(-dx * px, -dy * px)),
  space: () => (isOnPhoto() ? mark() : easel.set({ isMoving: true })),
  spaceUp: () => easel.set({ isMoving: false }),
});
applyChanges(keys);
bindKeys(keys);
$("#open-keys").addEventListener("click", () => openKeySheet(keys));
look(answers.matte);
set({});
choose();
open().catch(() => toast([icon("alert"), "Something went wrong. Load the page again."], 6000));
