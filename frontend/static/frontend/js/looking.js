// Ways of looking: what the buttons over the pictures, the strip of layers and their keys do to the bench.

import { $, $$ } from "./dom.js";
import { mattePicker, neighbourOf } from "./mattes.js";
import { drawStrip } from "./panel.js";

const NEXT_COUNT = { 1: 2, 2: 4, 4: 1 };

/** `isReady`: is an item on the screen? Returns the acts, and draw() for when something else has changed. */
export function looking(bench, isReady) {
  const showMatte = mattePicker($("#mattes"), (matte) => setMatte(matte));

  function draw() {
    if (!bench.item) return;
    bench.draw();
    showMatte(bench.matte);
    for (const button of $$("#views button")) button.setAttribute("aria-pressed", String(button.value === bench.view));
    for (const button of $$("#counts button")) button.setAttribute("aria-pressed", String(Number(button.value) === bench.count));
    $("#original").setAttribute("aria-pressed", String(bench.held === "photo"));
    $("#lift").setAttribute("aria-pressed", String(bench.held === "lift"));
    drawStrip(bench.item, bench, { solo, hide, pick: (id) => look(() => { bench.picked = id; }) });
  }

  function look(change) {
    if (!isReady()) return;
    change();
    draw();
  }
  const setView = (view) => look(() => { bench.view = view; });
  const toggleView = (view) => setView(bench.view === view ? "layer" : view);
  const setMatte = (matte) => look(() => Object.assign(bench, { matte, view: bench.view === "edge" ? "edge" : "layer" }));
  const hold = (held) => look(() => { bench.held = held; });
  const solo = (id) => look(() => Object.assign(bench, { solo: bench.solo === id ? null : id, view: withLayers(bench.view) }));
  const hide = (id) => look(() => {
    if (!bench.hidden.delete(id)) bench.hidden.add(id);
    bench.view = withLayers(bench.view);
  });
  const setCount = (count) => look(() => bench.setPanes(count));

  for (const button of $$("#views button")) button.addEventListener("click", () => setView(button.value));
  for (const button of $$("#counts button")) button.addEventListener("click", () => setCount(Number(button.value)));
  $("#zoom").addEventListener("click", () => bench.camera.fit());
  bench.camera.onchange = ({ scale }) => { $("#zoom").textContent = `${Math.round(scale * 100)} %`; };
  whileHeld($("#original"), "photo");
  whileHeld($("#lift"), "lift");

  /** A button that acts while it is held; from the keyboard it stays on until it is pressed again. */
  function whileHeld(button, what) {
    button.addEventListener("pointerdown", () => hold(what));
    for (const name of ["pointerup", "pointerleave", "pointercancel"]) button.addEventListener(name, () => bench.held === what && hold(null));
    button.addEventListener("click", (event) => { if (event.detail === 0) hold(bench.held === what ? null : what); });
  }

  return {
    draw, setView, toggleView, hold,
    camera: bench.camera,
    stepMatte: (step) => setMatte(neighbourOf(bench.matte, step)),
    toggleWorst: () => setMatte(bench.matte === "worst" ? "checker-light" : "worst"),
    nextPanes: () => setCount(NEXT_COUNT[bench.count]),
    pick: (step) => look(() => bench.pick(step)),
    soloThis: () => isReady() && solo(bench.picked),
    hideThis: () => isReady() && hide(bench.picked),
    walk: (step) => (bench.view === "edge" ? bench.walk.step(step) : setView("edge")),
  };
}

/** Solo and hide say nothing where a layer is shown alone. */
const withLayers = (view) => (view === "residual" ? view : "stack");
