// The repair page: marks on the photo, the server's answer beside it, and a draft that saves itself.

import { $, $$, capital, icon, make, pageData, toast } from "./dom.js";
import { isSignedOut, post, send, uuid } from "./http.js";
import { openKeySheet } from "./key_sheet.js";
import { applyChanges } from "./keymap.js";
import { bindKeys } from "./keys.js";
import { mattePicker, MATTES, neighbourOf } from "./mattes.js";
import { loadPicture } from "./queue.js";
import { Draft } from "./repair_draft.js";
import { Easel, STROKES } from "./repair_draw.js";
import { repairKeys } from "./repair_keys.js";
import { History, isEmpty, NO_MARKS } from "./repair_marks.js";
import { View } from "./repair_view.js";
import * as veils from "./veils.js";

const WORDS = {
  move: ["Move", "Drag the picture. With any tool, hold Space or use two fingers."],
  box: ["Box", "Drag round the object to cut it out anew. Strokes still count."],
  keep: ["Keep", "Draw on what is missing. The rest of the missing part is found."],
  remove: ["Remove", "Draw on what does not belong. The rest of it is found."],
  paint: ["Paint", "What you paint belongs to it. Over an object in front, it goes on behind."],
  erase: ["Erase", "What you erase is gone. Under a soft rim, matting decides."],
};
const NOT_HERE = ["colours"];

const page = pageData("repair-data");
const view = new View(page);
const easel = new Easel($("#panes"), view.panes);
const clientId = uuid();
let draft = null;
let history = new History(NO_MARKS);
let round = null; // the preview that is under way
let isStale = false; // marks changed since it was asked for
let isOver = false;

// --- opening ----------------------------------------------------------------------------------------------------
async function open() {
  veils.showLoading();
  try {
    const [answer, ...pictures] = await Promise.all([
      post("/api/repairs/", { layer: page.layer.id }), ...[page.source.url, page.source.url, page.layer.rgba_url].map(loadPicture),
    ]);
    if (answer.status >= 400) return refuse(answer);
    draft = new Draft(answer.data.id, answer.data.marks);
    view.open(...pictures);
    easel.setSize(page.source.width, page.source.height);
    easel.set({ size: Math.max(4, Math.round(Math.min(page.source.width, page.source.height) / 40)) });
    history = new History(draft.marks);
    draft.addEventListener("change", drawSaveState);
    draft.addEventListener("refused", ({ detail }) => refuse({ status: 409, data: detail }));
    veils.lift();
    drawAll();
    drawSaveState();
    ask();
    document.body.dataset.mending = draft.url;
  } catch {
    veils.showMessage("alert", "The server does not answer", "What you drew is kept. Try again in a moment.", [["Try again", () => location.reload()], ["Back", page.urls.back]]);
  }
  return null;
}

/** The layer cannot be mended any more; what was drawn stays in the draft. */
async function refuse(answer) {
  const back = ["Back", page.urls.back];
  const { code, detail } = answer.data ?? {};
  if (isSignedOut(answer)) return veils.showMessage("lock", "You are signed out", "What you drew is kept in this browser.", [["Sign in", page.urls.sign_in]]);
  if (code === "layer_superseded" && draft) {
    const { data } = await send("GET", draft.url);
    const carry = ["Take my marks to the new version", () => carryOver(data.newest)];
    return veils.showMessage("layers", "Somebody was faster", "This layer was mended meanwhile. Your draft is kept.", [carry, ["Look at the new version", `/layers/${data.newest}/repair/`], back]);
  }
  return veils.showMessage("alert", "This layer cannot be mended", detail ?? `The server answered ${answer.status}.`, [back]);
}

async function carryOver(layerId) {
  const { data } = await post("/api/repairs/", { layer: layerId });
  await send("PATCH", `/api/repairs/${data.id}/`, history.now);
  draft.forget();
  location.assign(`/layers/${layerId}/repair/`);
}

// --- marks ------------------------------------------------------------------------------------------------------
function change(part) {
  if (!draft || isOver) return;
  history.change(part);
  changed();
}

function changed() {
  draft.save(history.now);
  drawAll();
  ask();
}

easel.onstroke = (stroke) => change({ strokes: [...history.now.strokes, stroke] });
easel.onbox = (box) => change({ box });
const undo = () => draft && !isOver && history.undo() && changed();
const redo = () => draft && !isOver && history.redo() && changed();
const setHidden = (hidden) => hidden !== history.now.hidden && page.has_cover && change({ hidden });
const drop = (index) => change({ strokes: history.now.strokes.filter((_, at) => at !== index) });

/** One preview at a time; the last marks are always asked for. */
async function ask() {
  isStale = true;
  if (round) return;
  view.result.root.classList.add("busy");
  while (isStale && !isOver) {
    isStale = false;
    const begun = performance.now();
    round = post(`${draft.url}preview/`, history.now).catch(() => null);
    const answer = await round;
    if (isStale) continue;
    if (answer?.status === 200) {
      await view.show(answer.data);
      $("#round").textContent = `Preview in ${((performance.now() - begun) / 1000).toFixed(1)} s`;
      document.body.dataset.round = String(Number(document.body.dataset.round ?? 0) + 1);
    } else {
      $("#round").textContent = "";
      toast([icon("alert"), answer?.data?.detail ?? "No preview: the server does not answer. Your marks are kept."], 5000);
    }
  }
  round = null;
  view.result.root.classList.remove("busy");
}

// --- handing in -------------------------------------------------------------------------------------------------
async function submit() {
  if (!draft || isOver || isEmpty(history.now)) return;
  isOver = true;
  drawAll();
  $("#submit").classList.add("hit");
  await draft.hold();
  const answer = await post(`${draft.url}submit/`, { client_id: clientId, marks: history.now }).catch(() => null);
  $("#submit").classList.remove("hit");
  if (answer?.status === 200 || answer?.status === 201) {
    draft.forget();
    document.body.dataset.handedIn = answer.data.id;
    veils.showMessage("check", "Handed in", "Somebody else judges the new version.", [["Next layer", page.urls.back]]);
    return;
  }
  isOver = false;
  draft.later();
  drawAll();
  if (answer && answer.status !== 400) await refuse(answer);
  else toast([icon("alert"), answer?.data?.detail ?? "The server does not answer. Your draft is kept; try again."], 6000);
}

async function leave() {
  await draft?.flush();
  location.assign(page.urls.back);
}

// --- what is shown ----------------------------------------------------------------------------------------------
function drawAll() {
  const { strokes, box, hidden } = history.now;
  view.drawMarks(history.now);
  $("#undo").disabled = isOver || !history.past.length;
  $("#redo").disabled = isOver || !history.future.length;
  $("#submit").disabled = isOver || isEmpty(history.now);
  $("#clear").disabled = isOver || isEmpty(history.now);
  for (const button of $$("#hidden button")) button.setAttribute("aria-pressed", String(button.value === hidden));
  const rows = [
    ...(box ? [["box", "Box", () => change({ box: null })]] : []),
    ...strokes.map(({ tool }, index) => [tool, capital(tool), () => drop(index)]),
  ];
  $("#marks-count").textContent = rows.length || "";
  $("#marks").replaceChildren(...rows.map(([tool, name, remove], index) => make("li", {}, swatchOf(tool), make("span", {}, name),
    make("button", { type: "button", "aria-label": `Remove mark ${index + 1}, ${name}`, title: "Remove this mark", onclick: remove }, icon("x", "small")))));
  drawTool();
}

function swatchOf(tool) {
  const source = $(`#tools [value=${tool}] :is(i, svg)`);
  return source.cloneNode(true);
}

function drawTool() {
  const { tool, size, hardness } = easel;
  for (const button of $$("#tools button")) button.setAttribute("aria-pressed", String(button.value === tool));
  const [name, words] = WORDS[tool];
  $("#tool-name").textContent = name;
  $("#tool-words").textContent = words;
  $("#size-row").hidden = !STROKES.includes(tool);
  $("#hardness-row").hidden = tool !== "paint" && tool !== "erase";
  $("#size").value = size;
  $("#size-px").textContent = `${size} px`;
  $("#hardness").value = Math.round(100 * hardness);
  $("#hardness-share").textContent = `${Math.round(100 * hardness)} %`;
}

const chip = $("#save-state");
const chipText = make("span");
chip.append(make("i", { class: "dot" }), chipText);
function drawSaveState() {
  chip.dataset.state = draft.state;
  chipText.textContent = {
    saved: "Draft saved", saving: "Saving", failed: "Not saved, trying again", offline: "Offline, kept here", "signed-out": "Signed out, kept here",
  }[draft.state];
}

// --- wiring -----------------------------------------------------------------------------------------------------
function set(part) {
  easel.set(part);
  drawTool();
}
const isOnPhoto = () => document.activeElement === view.photo.root;
const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
const look = (part) => { Object.assign(view, part); view.draw(); showMatte(view.matte); };
const stepMatte = (step) => {
  let matte = view.matte;
  do matte = neighbourOf(matte, step); while (NOT_HERE.includes(matte));
  look({ matte });
};

const showMatte = mattePicker($("#mattes"), (matte) => look({ matte }));
for (const [id] of MATTES) if (NOT_HERE.includes(id)) $(`#mattes [value=${id}]`).remove();
showMatte(view.matte);
view.camera.onchange = ({ scale }) => { $("#zoom").textContent = `${Math.round(scale * 100)} %`; };
for (const button of $$("#tools button")) button.addEventListener("click", () => set({ tool: button.value, drawn: null }));
for (const button of $$("#hidden button")) button.addEventListener("click", () => setHidden(button.value));
$("#hidden-part").hidden = !page.has_cover;
$("#size").addEventListener("input", ({ target }) => set({ size: Number(target.value) }));
$("#hardness").addEventListener("input", ({ target }) => set({ hardness: target.value / 100 }));
$("#undo").addEventListener("click", undo);
$("#redo").addEventListener("click", redo);
$("#clear").addEventListener("click", () => change(NO_MARKS));
$("#submit").addEventListener("click", submit);
$("#back").addEventListener("click", leave);
$("#zoom").addEventListener("click", () => view.camera.fit());
const original = $("#original");
original.addEventListener("pointerdown", () => look({ isHeld: true }));
for (const name of ["pointerup", "pointerleave", "pointercancel"]) original.addEventListener(name, () => look({ isHeld: false }));

const keys = repairKeys({
  camera: view.camera,
  resize: (step) => set({ size: clamp(easel.size + step * Math.max(1, Math.round(easel.size / 8)), 1, 200) }),
  harden: (step) => set({ hardness: clamp(Math.round(10 * (easel.hardness + step)) / 10, 0, 1) }),
  toggleHidden: () => setHidden(history.now.hidden === "kept" ? "again" : "kept"),
  stepMatte,
  hold: (isHeld) => look({ isHeld }),
  arrow: (dx, dy, px) => (isOnPhoto() ? easel.step(dx, dy) : view.camera.panBy(-dx * px, -dy * px)),
  space: () => (isOnPhoto() ? easel.togglePen() : easel.set({ isMoving: true })),
  spaceUp: () => easel.set({ isMoving: false }),
  escape: () => (easel.drawn ? easel.set({ drawn: null }) : leave()),
});
applyChanges(keys);
bindKeys(keys);
$("#open-keys").addEventListener("click", () => openKeySheet(keys));
open();
