// The review page: one layer, one key, the next layer at once.

import { Bench } from "./bench.js";
import { Clock } from "./clock.js";
import { $, $$, capital, icon, pageData, toast } from "./dom.js";
import { uuid } from "./http.js";
import { openKeySheet } from "./key_sheet.js";
import { applyChanges } from "./keymap.js";
import { bindKeys, labelControls } from "./keys.js";
import { looking } from "./looking.js";
import { Outbox } from "./outbox.js";
import * as panel from "./panel.js";
import { describe, NO_PROMPT } from "./prompts.js";
import { forgetPictures, prepare, prepareStack, Queue } from "./queue.js";
import { reviewKeys } from "./review_keys.js";
import { showSaveState } from "./save_chip.js";
import * as veils from "./veils.js";
import { flash, waiting } from "./waiting.js";

const UNDO_DEPTH = 50;
const SLIP_MS = 150;
const STACK_AFTER_MS = 300; // somebody who decides faster does not look at the composite
const NO_LAYER = "00000000-0000-0000-0000-000000000000"; // in the address that the page was given
const FLAG = "⚑"; // begins the note of a flagged layer, so that a curator finds it

const page = pageData("review-data");
const bench = new Bench();
const clock = new Clock();
const outbox = new Outbox(page.user_id);
const queue = new Queue(page.project.id, () => outbox.pendingAssignments);
const note = $("#note");
const history = page.recent.map((made) => ({ ...made, item: null }));
const takenBack = new Map(); // decisions to undo that the server has not answered for; without an item it sends one
let today = page.today;
let armed = null;
let isPainted = false;
let decidedAt = -SLIP_MS;
const views = looking(bench, () => isPainted);

// --- one item ---------------------------------------------------------------------------------------------------
async function show() {
  const item = queue.current;
  isPainted = false;
  armed = null;
  delete document.body.dataset.judging;
  if (!item) return showNothing();
  item.prompt ??= NO_PROMPT;
  item.draft ??= { pins: [], note: "", isFlagged: false, prompt: item.prompt };
  note.value = item.draft.note;
  veils.showLoading();
  try {
    await bench.show(item);
  } catch {
    if (item === queue.current) showFailed(item);
    return;
  }
  if (item !== queue.current) return;
  veils.lift();
  drawAll();
  isPainted = true;
  document.body.dataset.judging = item.id;
  clock.restart();
  $("#announce").textContent = `${capital(item.layer.label)}. ${describe(item.prompt)}`;
  setTimeout(() => { if (item === queue.current) prepareStack(item).catch(() => {}); }, STACK_AFTER_MS);
}

function drawAll() {
  const item = queue.current;
  drawSide();
  bench.drawMarks(item.draft.prompt, item.draft.pins);
  panel.drawPromptWords(item, item.draft.prompt, (prompt) => { item.draft.prompt = prompt; drawAll(); });
  panel.drawFacts(item);
  $("#item-name").textContent = `${capital(item.layer.label)} · ${item.source.name}`;
  showFlag();
  $("#mend").href = page.urls.mend.replace(NO_LAYER, item.layer.id);
  views.draw();
  drawDefects();
}

function drawSide() {
  panel.drawTrail(history, takeBack);
  $("#undo").disabled = !history.length;
  $("#today").textContent = today;
}

// --- verbs ------------------------------------------------------------------------------------------------------
const isSlip = () => performance.now() - decidedAt < SLIP_MS;

function decide(decision) {
  const item = queue.current;
  if (!item || !isPainted || isSlip()) return;
  decidedAt = performance.now();
  const clientId = uuid();
  const defects = item.draft.pins.map(({ kind, x, y }) => ({ kind, x, y }));
  item.draft.note = note.value;
  const says = [item.draft.isFlagged && FLAG, note.value.trim()].filter(Boolean).join(" ");
  outbox.addVerdict(item.id, { verdict: decision, defects, note: says, client_id: clientId, active_ms: clock.stop() });
  forgetPictures(item);
  const { layer, source } = item;
  const size = [source.width, source.height];
  history.push({ clientId, verdictId: null, item, decision, label: layer.label, thumbnailUrl: layer.thumbnail_url, box: layer.box, size });
  if (history.length > UNDO_DEPTH) history.shift();
  today += 1;
  flash(decision);
  queue.take();
  show();
  drawSide();
}

function takeBack(made) {
  if (!made || isSlip()) return;
  decidedAt = performance.now();
  history.splice(history.indexOf(made), 1);
  today = Math.max(0, today - 1);
  takenBack.set(made.clientId, made);
  outbox.addUndo(made.clientId, made.verdictId);
  if (made.item) {
    queue.putInFront(made.item);
    show();
  }
  drawSide();
  toast([icon("undo"), `${capital(made.label)} is open again`]);
}

function toggleFlag() {
  if (!isPainted) return;
  queue.current.draft.isFlagged = !queue.current.draft.isFlagged;
  showFlag();
}

function showFlag() {
  $("#flag").setAttribute("aria-pressed", String(queue.current.draft.isFlagged));
}

function toggleDefect(kind) {
  if (!isPainted) return;
  const { draft } = queue.current;
  const isOn = draft.pins.some((pin) => pin.kind === kind);
  const number = page.defects.findIndex((defect) => defect.kind === kind) + 1;
  draft.pins = isOn ? draft.pins.filter((pin) => pin.kind !== kind) : [...draft.pins, { kind, number, x: null, y: null }];
  armed = isOn ? null : kind;
  drawDefects();
}

function pin(x, y) {
  if (!armed || !isPainted) return;
  const { draft, source } = queue.current;
  const inside = (value, end) => Math.round(10 * Math.min(end, Math.max(0, value))) / 10;
  Object.assign(draft.pins.find(({ kind }) => kind === armed), { x: inside(x, source.width), y: inside(y, source.height) });
  armed = null;
  drawDefects();
}

function drawDefects() {
  const { draft } = queue.current;
  for (const pane of $$(".pane")) pane.classList.toggle("pinning", armed !== null);
  panel.drawDefects(page.defects, draft.pins, armed, toggleDefect);
  labelControls(keys);
  bench.drawMarks(draft.prompt, draft.pins);
}

function nextPrompt() {
  if (!isPainted) return;
  const { draft, prompts } = queue.current;
  const at = prompts.findIndex((prompt) => describe(prompt) === describe(draft.prompt) && prompt.kind === draft.prompt.kind);
  draft.prompt = prompts[(at + 1) % prompts.length];
  drawAll();
}

// --- nothing to judge -------------------------------------------------------------------------------------------
const { showNothing } = waiting({
  queue, outbox, show, links: [["Home", page.urls.home]],
  words: {
    kept: "decisions",
    empty: ["The queue is clear", "New layers show up here by themselves when the data engine has finished them."],
    barred: ["No layers for you now", "You may not judge in this project."],
    lost: "This layer went to somebody else",
    next: "Next layer",
  },
  clear: () => { bench.clear(); $("#mend").removeAttribute("href"); },
  lose: () => { isPainted = false; },
});

function showFailed(item) {
  const again = ["Try again", () => { prepare(item); show(); }];
  const skip = ["Skip", () => { queue.skip(); queue.take(); show(); }];
  veils.showMessage("image", "This picture did not load", `${capital(item.layer.label)} of ${item.source.name}. Skipping costs you nothing: the layer goes back to the queue undecided.`, [again, skip]);
}

// --- what the server says about decisions -----------------------------------------------------------------------
outbox.addEventListener("saved", ({ detail: { entry, answer } }) => {
  const made = history.find(({ clientId }) => clientId === entry.clientId);
  if (made) made.verdictId = answer.id;
  if (!queue.current) queue.fill();
});
outbox.addEventListener("undone", ({ detail: { entry, answer } }) => {
  const made = takenBack.get(entry.clientId);
  takenBack.delete(entry.clientId);
  if (!made || made.item) return;
  queue.putInFront(answer.assignment);
  show();
});
function forget({ entry, detail }) {
  const at = history.findIndex(({ clientId }) => clientId === entry.clientId);
  if (entry.kind === "verdict" && at >= 0) history.splice(at, 1);
  drawSide();
  toast([icon("alert"), detail], 8000);
}
/** The decision stays: the layer leaves the screen again, and no further key tries to take it back. */
function stays({ entry, detail }) {
  const made = takenBack.get(entry.clientId);
  takenBack.delete(entry.clientId);
  if (made) today += 1;
  queue.items = queue.items.filter((item) => item !== made?.item);
  if (made?.item && made.item === queue.current) {
    queue.take();
    show();
  }
  drawSide();
  toast([icon("alert"), detail], 8000);
}
outbox.addEventListener("late", ({ detail }) => forget(detail));
outbox.addEventListener("refused", ({ detail }) => (detail.entry.kind === "undo" ? stays : forget)(detail));
outbox.addEventListener("unkept", () => toast([icon("alert"), "This browser cannot store decisions. Do not close the page before they are saved."], 8000));

// --- wiring -----------------------------------------------------------------------------------------------------
for (const pane of bench.panes) pane.onpick = pin;
for (const decision of ["accept", "reject", "unsure", "broken"]) $(`#${decision}`).addEventListener("click", () => decide(decision));
$("#undo").addEventListener("click", () => takeBack(history.at(-1)));
$("#flag").addEventListener("click", toggleFlag);
$("#instructions-open")?.addEventListener("click", () => $("#instructions").showModal());

const keys = reviewKeys({
  ...views, defects: page.defects, toggleDefect, nextPrompt,
  disarm: () => { armed = null; if (isPainted) drawDefects(); },
  writeNote: () => note.focus(),
});
applyChanges(keys);
bindKeys(keys);
$("#open-keys").addEventListener("click", () => openKeySheet(keys));

showSaveState(outbox);
drawSide();
veils.showLoading();
await outbox.open();
queue.fill();
