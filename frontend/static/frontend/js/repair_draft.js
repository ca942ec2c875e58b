// The draft saves itself: first into this browser, at once, then to the server. What the server has not got yet is
// found here when the page is opened again.

import { isSignedOut, send } from "./http.js";

const AFTER_MS = 400;
const WAITS_S = [1, 2, 4, 8, 16, 30];

export class Draft extends EventTarget {
  /** Events: "change" of `state`: saved, saving, failed, offline, signed-out; "refused" {detail}. */
  constructor(id, userMarks) {
    super();
    this.url = `/api/repairs/${id}/`;
    this.key = `rld.repair.${id}`;
    this.failures = 0;
    this.state = "saved";
    this.unsaved = stored(this.key);
    this.marks = this.unsaved ?? userMarks;
    if (this.unsaved) this.save(this.unsaved);
    addEventListener("online", () => this.flush());
    addEventListener("pagehide", () => { if (this.unsaved) this.patch({ keepalive: true }).catch(() => {}); });
  }

  save(marks) {
    this.unsaved = marks;
    try {
      localStorage.setItem(this.key, JSON.stringify(marks));
    } catch {
      // A browser without storage has the server only.
    }
    this.become("saving");
    this.later();
  }

  /** Nothing is left to save: handed in. */
  forget() {
    clearTimeout(this.timer);
    this.unsaved = null;
    localStorage.removeItem(this.key);
  }

  /** Nothing is sent from now on until `later`; resolves when what is on its way has arrived. */
  async hold() {
    clearTimeout(this.timer);
    await this.sending;
    clearTimeout(this.timer);
  }

  later(milliseconds = AFTER_MS) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), milliseconds);
  }

  /** Resolves when the server has everything, or it could not be reached. */
  async flush() {
    clearTimeout(this.timer);
    if (!this.unsaved) return;
    const sent = this.unsaved;
    this.sending = this.patch().catch(() => null);
    const answer = await this.sending;
    if (sent !== this.unsaved) return;
    if (answer?.status === 200) {
      this.failures = 0;
      this.forget();
      this.become("saved");
    } else if (answer && isSignedOut(answer)) {
      this.become("signed-out");
    } else if (answer && answer.status < 500) {
      this.become("failed");
      this.dispatchEvent(new CustomEvent("refused", { detail: answer.data }));
    } else {
      this.become(navigator.onLine ? "failed" : "offline");
      this.later(1000 * WAITS_S[Math.min(this.failures++, WAITS_S.length - 1)]);
    }
  }

  patch(options) {
    return send("PATCH", this.url, this.unsaved, options);
  }

  become(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

function stored(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}
