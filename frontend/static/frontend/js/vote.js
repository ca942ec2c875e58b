// The vote page: two layers of one thing, one key, the next two at once. Who made them is never sent to this page.

import { Clock } from "./clock.js";
import { $, $$, icon, pageData, toast } from "./dom.js";
import { uuid } from "./http.js";
import { openKeySheet } from "./key_sheet.js";
import { applyChanges } from "./keymap.js";
import { bindKeys, labelControls } from "./keys.js";
import { mattePicker, nameOfMatte, neighbourOf } from "./mattes.js";
import { Outbox } from "./outbox.js";
import { describe, KINDS, NO_PROMPT } from "./prompts.js";
import { Queue } from "./queue.js";
import { showSaveState } from "./save_chip.js";
import * as veils from "./veils.js";
import { voteKeys } from "./vote_keys.js";
import { prepareComparison, VoteStage } from "./vote_stage.js";
import { flash, waiting } from "./waiting.js";

const CHOICES = ["left", "tie", "both_bad", "right"];
const UNDO_DEPTH = 50;
const SLIP_MS = 150;
const EDITS = { move: "Moved", scale: "Smaller", background: "New scene" };

const page = pageData("vote-data");
const stage = new VoteStage();
const clock = new Clock();
const outbox = new Outbox(page.user_id);
const queue = new Queue(page.project.id, () => outbox.pendingAssignments, { claim: "/api/compare/claim/", prepare: prepareComparison });
const history = [];
let today = page.today;
let isPainted = false;
let votedAt = -SLIP_MS;
let seen = { modes: new Set(), mattes: new Set() };

// --- one comparison ---------------------------------------------------------------------------------------------
async function show() {
  const item = queue.current;
  isPainted = false;
  delete document.body.dataset.judging;
  if (!item) return showNothing();
  item.prompt ??= NO_PROMPT;
  veils.showLoading();
  try {
    await stage.show(item);
  } catch {
    if (item === queue.current) showFailed(item);
    return;
  }
  if (item !== queue.current) return;
  veils.lift();
  isPainted = true;
  seen = { modes: new Set(), mattes: new Set() };
  $("#criteria").reset();
  $("#more").open = false;
  drawAll();
  document.body.dataset.judging = item.id;
  clock.restart();
  $("#announce").textContent = `Two layers. ${describe(item.prompt)}${item.edit.kind ? `. Both are shown edited: ${EDITS[item.edit.kind].toLowerCase()}` : ""}`;
}

function drawAll() {
  const { item } = stage;
  $("#prompt-words").textContent = describe(item.prompt);
  $("#prompt-kind").textContent = KINDS[item.prompt.kind] ?? "";
  $("#prompt-kind").hidden = !KINDS[item.prompt.kind];
  $("#board").textContent = item.board;
  $("#board").hidden = item.board === item.prompt.kind; // said by the chip before it
  $("#edit").hidden = !item.edit.kind;
  if (item.edit.kind) $("#edited span").textContent = EDITS[item.edit.kind];
  $("#credit").textContent = [item.source.credit, item.source.licence].filter(Boolean).join(" · ");
  draw();
  drawSide();
}

function draw() {
  stage.draw();
  seen.modes.add(stage.mode);
  seen.mattes.add(stage.matte);
  const [left, right] = stage.names;
  $("#ballot").toggleAttribute("data-upright", left === "Top");
  $("#left span").textContent = `${left} is better`;
  $("#right span").textContent = `${right} is better`;
  press("#modes button", stage.mode);
  press("#edit button", stage.isEdited ? "edited" : "plain");
  $("#flicker").setAttribute("aria-pressed", String(stage.isSwapped));
  showMatte(stage.matte);
}

const press = (buttons, value) => { for (const button of $$(buttons)) button.setAttribute("aria-pressed", String(button.value === value)); };

function drawSide() {
  $("#undo").disabled = !history.length;
  $("#today").textContent = today;
}

// --- looking ----------------------------------------------------------------------------------------------------
function look(change) {
  if (!isPainted) return;
  change();
  draw();
}
const setMatte = (matte) => look(() => { stage.matte = matte; });
const setMode = (mode) => look(() => {
  stage.mode = mode;
  if (stage.camera.isFitted) requestAnimationFrame(() => stage.camera.fit());
});
const setEdited = (isEdited) => look(() => { stage.isEdited = isEdited && Boolean(stage.item.edit.kind); });
const flicker = (isSwapped) => { if (isSwapped !== stage.isSwapped) look(() => { stage.isSwapped = isSwapped; }); };

function peek(isShown) {
  const box = $("#peek-box");
  box.hidden = !isShown || !isPainted;
  $("#peek").setAttribute("aria-pressed", String(!box.hidden));
}

/** A button that acts while it is held; from the keyboard it stays on until it is pressed again. */
function whileHeld(button, act) {
  button.addEventListener("pointerdown", () => act(true));
  for (const name of ["pointerup", "pointerleave", "pointercancel"]) button.addEventListener(name, () => button.getAttribute("aria-pressed") === "true" && act(false));
  button.addEventListener("click", (event) => { if (event.detail === 0) act(button.getAttribute("aria-pressed") !== "true"); });
}

// --- votes ------------------------------------------------------------------------------------------------------
const isSlip = () => performance.now() - votedAt < SLIP_MS;

function vote(choice) {
  const item = queue.current;
  if (!item || !isPainted || isSlip()) return;
  votedAt = performance.now();
  const clientId = uuid();
  const views = { modes: [...seen.modes], mattes: [...seen.mattes], edited: stage.isEdited };
  const criteria = Object.fromEntries(new FormData($("#criteria")));
  outbox.addVote(item.id, { choice, criteria, views, client_id: clientId, active_ms: clock.stop() });
  for (const heavy of ["pictures", "ready", "pixels"]) delete item[heavy];
  history.push({ clientId, voteId: null, item });
  if (history.length > UNDO_DEPTH) history.shift();
  today += 1;
  flash(choice);
  queue.take();
  show();
  drawSide();
}

function takeBack() {
  if (!history.length || isSlip()) return;
  votedAt = performance.now();
  const made = history.pop();
  today = Math.max(0, today - 1);
  outbox.addUndo(made.clientId, made.voteId, "vote");
  queue.putInFront(made.item);
  show();
  drawSide();
  toast([icon("undo"), "The last pair is open again"]);
}

// --- nothing to vote on -----------------------------------------------------------------------------------------
const { showNothing } = waiting({
  queue, outbox, show, links: [["Arena", page.urls.arena], ["Home", page.urls.home]],
  words: {
    kept: "votes",
    empty: ["No pairs for you now", "A pair needs layers of one thing by two producers that you have not voted on. New ones show up here by themselves."],
    barred: ["No pairs for you now", "You may not vote in this project."],
    lost: "This pair went to somebody else",
    next: "Next pair",
  },
  clear: () => stage.clear(),
  lose: () => { isPainted = false; },
});

function showFailed(item) {
  const again = ["Try again", () => { prepareComparison(item); show(); }];
  const skip = ["Skip", () => { queue.skip(); queue.take(); show(); }];
  veils.showMessage("image", "A picture did not load", "Skipping costs you nothing: the pair goes back to the queue.", [again, skip]);
}

outbox.addEventListener("saved", ({ detail: { entry, answer } }) => {
  const made = history.find(({ clientId }) => clientId === entry.clientId);
  if (made) made.voteId = answer.id;
  if (!queue.current) queue.fill();
});
function forget({ entry, detail }) {
  const at = history.findIndex(({ clientId }) => clientId === entry.clientId);
  if (entry.kind !== "undo" && at >= 0) history.splice(at, 1);
  drawSide();
  toast([icon("alert"), detail], 8000);
}
outbox.addEventListener("late", ({ detail }) => forget(detail));
outbox.addEventListener("refused", ({ detail }) => forget(detail));
outbox.addEventListener("unkept", () => toast([icon("alert"), "This browser cannot store votes. Do not close the page before they are saved."], 8000));

// --- wiring -----------------------------------------------------------------------------------------------------
const showMatte = mattePicker($("#mattes"), setMatte);
for (const choice of CHOICES) $(`#${choice}`).addEventListener("click", () => vote(choice));
for (const button of $$("#modes button")) button.addEventListener("click", () => setMode(button.value));
for (const button of $$("#edit button")) button.addEventListener("click", () => setEdited(button.value === "edited"));
$("#undo").addEventListener("click", takeBack);
$("#zoom").addEventListener("click", () => stage.camera.fit());
whileHeld($("#flicker"), flicker);
whileHeld($("#peek"), peek);
stage.camera.onchange = ({ scale }) => {
  $("#zoom").textContent = `${Math.round(scale * 100)} %`;
  stage.place();
};

const keys = voteKeys({
  camera: stage.camera, flicker, peek, slide: (step) => look(() => stage.slide(step)),
  toggleEdit: () => setEdited(!stage.isEdited),
  stepMatte: (step) => { setMatte(neighbourOf(stage.matte, step)); toast(nameOfMatte(stage.matte), 900); },
  toggleWorst: () => setMatte(stage.matte === "worst" ? "checker-light" : "worst"),
});
applyChanges(keys);
bindKeys(keys);
labelControls(keys);
$("#open-keys").addEventListener("click", () => openKeySheet(keys));

showSaveState(outbox);
drawSide();
veils.showLoading();
await outbox.open();
queue.fill();
