// What a page of decisions shows while there is nothing to decide: empty, unreachable, signed out, barred, lost.

import { $ } from "./dom.js";
import { signInAgain } from "./sign_in_again.js";
import * as veils from "./veils.js";

/**
 * Follows the queue and the outbox. `words`: {kept, empty: [title, text], barred: [title, text], lost: title, next};
 * `links`: [label, address] pairs, the last one leads home; `clear` takes the last item off the screen, `show` draws
 * the current one, `lose` is told that it went to somebody else. Returns `{showNothing}`.
 */
export function waiting({ queue, outbox, words, links, clear, show, lose }) {
  const home = links.at(-1);
  const askToSignIn = signInAgain(() => { outbox.retryNow(); queue.fill(); });
  const kept = (when) => `Your ${words.kept} are kept in this browser and are sent ${when}.`;
  const states = {
    empty: () => veils.showMessage("check", ...words.empty, links),
    unreachable: () => veils.showMessage("alert", "The server does not answer", kept("as soon as it does"), [["Try again", tryAgain], home]),
    "signed-out": () => {
      veils.showMessage("lock", "You are signed out", kept("after you sign in"), [["Sign in", askToSignIn]]);
      askToSignIn();
    },
  };

  function tryAgain() {
    veils.showLoading();
    outbox.retryNow();
    queue.fill();
  }

  function showNothing(reason = "") {
    clear();
    if (reason) return states[reason]();
    veils.showLoading();
    queue.fill();
  }

  for (const name of Object.keys(states)) {
    queue.addEventListener(name, () => { if (!queue.current) showNothing(name); });
  }
  queue.addEventListener("barred", ({ detail }) => {
    if (queue.current) return;
    clear();
    veils.showMessage("lock", words.barred[0], detail ?? words.barred[1], [["Try again", () => showNothing()], home]);
  });
  queue.addEventListener("more", () => {
    if (queue.current) return;
    queue.take();
    show();
  });
  queue.addEventListener("lost", () => {
    lose();
    const next = [words.next, () => { queue.take(); show(); }];
    veils.showMessage("clock", words.lost, "It was open here for too long without a sign of life. Nothing is lost; take the next one.", [next]);
  });
  outbox.addEventListener("signed-out", askToSignIn);
  return { showNothing };
}

/** The decision button that was just used lights up. */
export function flash(decision) {
  const button = $(`#${decision}`);
  button.classList.add("hit");
  setTimeout(() => button.classList.remove("hit"), 120);
}
