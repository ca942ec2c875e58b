// Signing in on top of the page: nothing on it is lost, and the outbox goes on by itself.

import { $ } from "./dom.js";

/** Shows the dialog when the server says that nobody is signed in; `onreturn` is called after a sign-in that worked. */
export function signInAgain(onreturn) {
  const dialog = $("#sign-in-again");
  const form = $("form", dialog);
  const problem = $("#sign-in-problem");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    const answer = await send(form).catch(() => null);
    if (answer?.type === "opaqueredirect") {
      form.reset();
      dialog.close();
      onreturn();
    } else {
      problem.textContent = answer?.ok ? "This password is not right. Mind capital letters, then try again." : "The server does not answer. Try again in a moment.";
      form.elements.password.select();
    }
  });
  for (const button of document.querySelectorAll("[data-sign-in-again]")) button.addEventListener("click", () => dialog.showModal());
  $("#signed-in-elsewhere").addEventListener("click", () => { dialog.close(); onreturn(); });
  return () => { if (!dialog.open) dialog.showModal(); };
}

/** Django answers a good sign-in with a redirect, which is not followed, and a bad one with the form again. */
function send(form) {
  const body = new URLSearchParams(new FormData(form));
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";
  return fetch(form.action, { method: "POST", body, redirect: "manual", headers: { "X-CSRFToken": token } });
}
