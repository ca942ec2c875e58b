// Time somebody really looked at an item: from paint on, and not while the tab is hidden.

export class Clock {
  constructor() {
    this.since = null;
    this.total = 0;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.pause() : this.resume()));
  }

  /** A new item is on the screen. */
  restart() {
    this.total = 0;
    this.isRunning = true;
    this.since = document.hidden ? null : performance.now();
  }

  pause() {
    if (this.since !== null) this.total += performance.now() - this.since;
    this.since = null;
  }

  resume() {
    if (this.isRunning && this.since === null) this.since = performance.now();
  }

  /** Milliseconds until now; the item is done. */
  stop() {
    this.pause();
    this.isRunning = false;
    return Math.round(this.total);
  }
}
