// Decisions on their way to the server. Each is handed to this browser's storage in the same task as the key press and
// removed only when the server has answered for it. They are sent one after the other, in the order they were made.

import { isSignedOut, post } from "./http.js";
import { OutboxStore } from "./outbox_store.js";

const WAITS_S = [1, 2, 4, 8, 16, 30];

export class Outbox extends EventTarget {
  /** Events: "change", "saved" and "undone" {entry, answer}, "late" {entry, detail}, "refused" {entry, detail}, "signed-out", "unkept". */
  constructor(userId) {
    super();
    this.store = new OutboxStore(userId);
    this.entries = [];
    this.isSending = false;
    this.isSignedOut = false;
    this.failures = 0;
    this.retryAt = 0;
    this.made = 0;
    addEventListener("online", () => this.retryNow());
    addEventListener("offline", () => this.changed());
    addEventListener("beforeunload", (event) => { if (this.entries.some(({ isKept }) => !isKept)) event.preventDefault(); });
  }

  /** Take over what an earlier visit left and send it. */
  async open() {
    const left = await this.store.read().catch(() => []);
    this.entries = [...left.map((entry) => ({ ...entry, isKept: true })), ...this.entries];
    this.send();
  }

  get state() {
    if (this.isSignedOut) return "signed-out";
    if (!this.entries.length) return "saved";
    if (!navigator.onLine) return "offline";
    return this.failures ? "failed" : "saving";
  }

  /** Slots that are decided here but not yet on the server; a claim may still return them. */
  get pendingAssignments() {
    return new Set(this.entries.filter((entry) => entry.kind !== "undo").map((entry) => entry.assignmentId));
  }

  addVerdict(assignmentId, body) {
    this.add({ kind: "verdict", assignmentId, clientId: body.client_id, body });
  }

  addVote(assignmentId, body) {
    this.add({ kind: "vote", assignmentId, clientId: body.client_id, body });
  }

  /** Take a decision back: dropped here if it has not been sent, otherwise undone on the server in its turn. */
  addUndo(clientId, decisionId, of = "verdict") {
    const waiting = this.entries.find((entry) => entry.kind !== "undo" && entry.clientId === clientId);
    if (waiting && waiting !== this.inFlight && !waiting.wasTried) this.remove(waiting);
    else this.add({ kind: "undo", of, clientId, decisionId });
  }

  add(entry) {
    entry.key = `${String(Date.now()).padStart(14, "0")}.${String(this.made++).padStart(5, "0")}.${entry.clientId}`;
    this.entries.push(entry);
    this.keep(entry);
    this.changed();
    this.send();
  }

  keep(entry) {
    const { isKept, ...lasting } = entry;
    this.store.put(lasting).then(() => { entry.isKept = true; }, () => isKept || this.emit("unkept", { entry }));
  }

  remove(entry) {
    this.entries = this.entries.filter((other) => other !== entry);
    this.store.remove(entry.key).catch(() => {});
    this.changed();
  }

  retryNow() {
    clearTimeout(this.timer);
    this.retryAt = 0;
    this.isSignedOut = false;
    this.send();
  }

  async send() {
    if (this.isSending || this.retryAt || this.isSignedOut) return;
    this.isSending = true;
    this.changed();
    while (this.entries.length && (await this.sendOne(this.entries[0])));
    this.isSending = false;
    this.changed();
  }

  /** True when the entry is dealt with and the next one may go. */
  async sendOne(entry) {
    this.inFlight = entry;
    let answer;
    try {
      if (!entry.wasTried) this.keep(Object.assign(entry, { wasTried: true }));
      answer = entry.kind === "undo" && !entry.decisionId ? { status: 410 } : await post(addressOf(entry), entry.body);
    } catch {
      return this.wait();
    } finally {
      this.inFlight = null;
    }
    if (isSignedOut(answer)) {
      this.isSignedOut = true;
      this.emit("signed-out", {});
      return false;
    }
    if (answer.status >= 500 || answer.status === 429) return this.wait();
    this.failures = 0;
    this.settle(entry, answer);
    return true;
  }

  settle(entry, { status, data }) {
    if (status < 300 && entry.kind !== "undo") {
      for (const other of this.entries.filter(({ kind, clientId }) => kind === "undo" && clientId === entry.clientId)) {
        this.keep(Object.assign(other, { decisionId: data.id }));
      }
    }
    this.remove(entry);
    if (status < 300) this.emit(entry.kind === "undo" ? "undone" : "saved", { entry, answer: data });
    else if (status === 409 && entry.kind !== "undo") this.emit("late", { entry, detail: data.detail });
    else if (status !== 410) this.emit("refused", { entry, detail: data?.detail ?? `The server answered ${status}.` });
  }

  wait() {
    const seconds = WAITS_S[Math.min(this.failures++, WAITS_S.length - 1)];
    this.retryAt = Date.now() + 1000 * seconds;
    this.timer = setTimeout(() => this.retryNow(), 1000 * seconds);
    return false;
  }

  changed() {
    this.emit("change", {});
  }

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

const addressOf = ({ kind, of, decisionId, assignmentId }) =>
  (kind === "undo" ? `/api/${of}s/${decisionId}/undo/` : `/api/assignments/${assignmentId}/${kind}/`);
