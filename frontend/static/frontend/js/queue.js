// The layers this person holds: claimed a few at a time, their pictures already decoded, leases kept alive, given back
// when the page closes.

import { isSignedOut, post } from "./http.js";
import { readPng } from "./png.js";

const AHEAD = 3;
const MOST_AT_ONCE = 10;
const HEARTBEAT_MS = 20_000;
const LOOK_AGAIN_MS = 15_000;

/** Loads and decodes a picture; the element is kept, so that showing it costs no further decode. */
export async function loadPicture(url) {
  const picture = new Image();
  picture.draggable = false;
  picture.alt = "";
  picture.src = url;
  await picture.decode();
  return picture;
}

/** Starts loading what the item shows. `item.ready` rejects when one of the pictures cannot be had. */
export function prepare(item) {
  item.ready = Promise.all([item.source.url, item.source.url, item.layer.rgba_url].map(loadPicture))
    .then(([photo, ghost, layer]) => (item.pictures = { photo, ghost, layer }));
  item.ready.catch(() => {});
  for (const { thumbnail_url } of item.stack) new Image().src = thumbnail_url;
  return item;
}

export const frontToBack = (item) => [...item.stack].sort((a, b) => a.depth - b.depth);

/** The pictures of the whole stack, back to front, once for each item. */
export function prepareStack(item) {
  item.stackReady ??= Promise.all(frontToBack(item).reverse()
    .map(async ({ id, rgba_url }) => Object.assign(await loadPicture(rgba_url), { layerId: id })));
  return item.stackReady;
}

/** The layer's pixels, read once for each item when something asks for them. */
export function pixelsOf(item) {
  item.pixels ??= readPng(item.layer.rgba_url);
  return item.pixels;
}

/** Let go of all that is large; what is shown again is prepared again. */
export function forgetPictures(item) {
  for (const heavy of ["pictures", "ready", "stackReady", "pixels", "edges"]) delete item[heavy];
}

export class Queue extends EventTarget {
  /** Events: "more" when items came, "empty" when there are none, "signed-out", "unreachable", "lost" {item}. */
  /** `claim` is the address to ask for items, `prepare` starts loading the pictures of one and returns it. */
  constructor(projectId, pendingAssignments, { claim = "/api/review/claim/", prepare: prepareItem = prepare } = {}) {
    super();
    Object.assign(this, { projectId, pendingAssignments, claim, prepareItem });
    this.items = [];
    this.current = null;
    this.skipped = new Set();
    this.left = new Set(); // decided but not saved, or saved since the claim on its way was asked for: it may bring them
    setInterval(() => this.beat(), HEARTBEAT_MS);
    addEventListener("pagehide", () => this.releaseAll());
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
    addEventListener("online", () => this.fill());
    document.addEventListener("visibilitychange", () => { if (!document.hidden && !this.current) this.fill(); });
  }

  get held() {
    return this.current ? [this.current, ...this.items] : this.items;
  }

  /** The next item becomes the current one; null when none is here yet. */
  take() {
    if (this.current) this.left.add(this.current.id);
    this.current = this.items.shift() ?? null;
    if (this.items.length < AHEAD - 1) this.fill();
    return this.current;
  }

  /** Show `item` now and the current one after it. */
  putInFront(item) {
    if (this.current) this.items.unshift(this.current);
    this.items = this.items.filter((other) => other.id !== item.id);
    this.left.delete(item.id);
    this.current = this.prepareItem(item);
  }

  /** Give the current item back undecided; it is not shown again while this page is open. */
  skip() {
    const item = this.current;
    this.skipped.add(item.id);
    this.current = null;
    this.release(item.id);
  }

  release(id, options) {
    post(`/api/assignments/${id}/release/`, {}, options).catch(() => {});
  }

  async fill() {
    if (this.isFilling) return;
    this.isFilling = true;
    clearTimeout(this.timer);
    try {
      const pending = this.pendingAssignments();
      this.left = new Set(pending);
      const count = Math.min(MOST_AT_ONCE, AHEAD + this.skipped.size + pending.size);
      const answer = await post(this.claim, { project: this.projectId, count });
      if (isSignedOut(answer)) this.emit("signed-out");
      else if (answer.status === 200) this.receive(answer.data.assignments);
      else if (answer.status === 204) this.receive([]);
      else if (answer.status === 403) this.emit("barred", answer.data?.detail);
      else throw new Error(`claim answered ${answer.status}`);
    } catch {
      this.emit("unreachable");
    } finally {
      this.isFilling = false;
      if (!this.items.length) this.timer = setTimeout(() => this.fill(), LOOK_AGAIN_MS);
    }
  }

  receive(assignments) {
    const known = new Set([...this.held.map((item) => item.id), ...this.left, ...this.skipped]);
    const fresh = assignments.filter(({ id }) => !known.has(id));
    for (const { id } of assignments) if (this.skipped.has(id)) this.release(id);
    this.items.push(...fresh.map(this.prepareItem));
    this.emit(this.items.length ? "more" : "empty");
  }

  async beat() {
    for (const item of this.held) {
      const answer = await post(`/api/assignments/${item.id}/heartbeat/`).catch(() => null);
      if (answer?.status !== 409) continue;
      this.items = this.items.filter((other) => other !== item);
      if (item === this.current) this.emit("lost", item);
    }
  }

  releaseAll() {
    for (const item of this.held) this.release(item.id, { keepalive: true });
  }

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
