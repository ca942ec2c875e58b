// The dialog with the project's photos, and photos dropped on the page.

import { $ } from "./dom.js";

const dialog = $("#photos");
const form = $("#upload");

export const openPhotos = () => dialog.showModal();

/** `here` is the playground's address without a photo. */
export function bindPhotos(here) {
  $("#open-photos").addEventListener("click", openPhotos);
  $("[data-close]", dialog).addEventListener("click", () => dialog.close());
  if (!form) return; // not everybody may add photos
  $("input[type=file]", form).addEventListener("change", ({ target }) => target.files[0] && upload(target.files[0], here));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) upload(event.dataTransfer.files[0], here);
  });
}

async function upload(file, here) {
  const body = new FormData(form);
  body.set("file", file, file.name);
  $("#upload-error").textContent = "";
  const headers = { "X-CSRFToken": body.get("csrfmiddlewaretoken"), Accept: "application/json" };
  const response = await fetch("/api/images/", { method: "POST", body, credentials: "same-origin", headers }).catch(() => null);
  const data = await response?.json().catch(() => null);
  if (response?.ok) return location.assign(`${here}?photo=${data.id}`);
  if (!dialog.open) openPhotos();
  $("#upload-error").textContent = data?.detail ?? "The server does not answer. Try this file again.";
  return null;
}
