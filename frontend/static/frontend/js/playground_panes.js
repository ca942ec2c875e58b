// The panes with the answers, one for each checkpoint that is asked: layers over each other, dragged about.

import { make } from "./dom.js";
import { isSolidAt } from "./playground_draw.js";

export class AnswerPanes {
  /** `chosen()` names who is asked, `isDragging()` says whether the hand takes layers. onpick(layer) is called. */
  constructor(panes, stack, chosen, isDragging) {
    Object.assign(this, { panes, stack, chosen, isDragging, matte: "checker-light", dragged: null });
    this.onpick = () => {};
    for (const [index, pane] of panes.entries()) {
      pane.root.addEventListener("pointerdown", (event) => this.take(event, pane, chosen()[index]), { capture: true });
      pane.root.addEventListener("pointermove", (event) => this.drag(event, pane));
      for (const name of ["pointerup", "pointercancel"]) pane.root.addEventListener(name, () => { this.dragged = null; });
    }
  }

  take(event, pane, checkpoint) {
    if (!this.isDragging() || event.button !== 0) return;
    const [x, y] = pane.toImage(event.clientX, event.clientY);
    const layer = this.stack.shown(checkpoint).find(({ answers, dx, dy }) => isSolidAt(answers[checkpoint].picture, x - dx, y - dy));
    if (!layer) return;
    event.stopPropagation();
    pane.root.setPointerCapture(event.pointerId);
    this.dragged = { layer, x: x - layer.dx, y: y - layer.dy, pointer: event.pointerId };
    this.onpick(layer);
  }

  drag(event, pane) {
    if (this.dragged?.pointer !== event.pointerId) return;
    const [x, y] = pane.toImage(event.clientX, event.clientY);
    Object.assign(this.dragged.layer, { dx: Math.round(x - this.dragged.x), dy: Math.round(y - this.dragged.y) });
    this.draw();
  }

  nudge(layer, dx, dy) {
    layer.dx += dx;
    layer.dy += dy;
    this.draw();
  }

  draw() {
    const names = this.chosen();
    for (const [index, pane] of this.panes.entries()) {
      const name = names[index];
      pane.root.hidden = !name;
      if (!name) continue;
      const shown = this.stack.shown(name);
      pane.root.dataset.matte = this.matte;
      pane.root.classList.toggle("dragging", this.isDragging());
      pane.root.classList.toggle("busy", this.stack.layers.some(({ answers }) => answers[name]?.state === "asking"));
      pane.root.setAttribute("aria-label", `${shown.length} layers by ${name}`);
      pane.caption.replaceChildren(make("b", {}, name), ` ${shown.length} layer${shown.length === 1 ? "" : "s"}`);
      pane.world.replaceChildren(...shown.toReversed().map(({ answers, dx, dy }) => {
        answers[name].picture.style.setProperty("transform", `translate(${dx}px, ${dy}px)`);
        return answers[name].picture;
      }));
    }
  }
}
