// What is drawn on the page, as a value: {strokes, box, mask, hidden}. Every change makes a new one, so that undo and
// redo are two stacks and what goes to the server is always whole.

export const NO_MARKS = { strokes: [], box: null, mask: null, hidden: "kept" };

export const isEmpty = ({ strokes, box, mask, hidden }) => !strokes.length && !box && !mask && hidden === "kept";

export class History {
  /** Strokes of a draft that was resumed can be undone one by one, too. */
  constructor(marks) {
    this.now = { ...NO_MARKS, ...marks };
    this.past = this.now.strokes.map((_, index) => ({ ...this.now, strokes: this.now.strokes.slice(0, index) }));
    this.future = [];
  }

  change(part) {
    this.past.push(this.now);
    this.now = { ...this.now, ...part };
    this.future = [];
  }

  undo() {
    if (!this.past.length) return false;
    this.future.push(this.now);
    this.now = this.past.pop();
    return true;
  }

  redo() {
    if (!this.future.length) return false;
    this.past.push(this.now);
    this.now = this.future.pop();
    return true;
  }
}
