// Upload: files go up one by one, two at a time, each with its own progress and its own answer.

import { $, make } from "./dom.js";
import { refresh } from "./morph.js";

const AT_ONCE = 2;
const form = $("#upload");
const drop = $("#drop");
const input = $("input[name=files]", form);
const counts = { sent: 0, ok: 0, duplicate: 0, refused: 0 };

form.classList.add("scripted");
$("#send").hidden = true;

function send(file, line) {
  const body = new FormData(form);
  body.set("files", file, file.name);
  const bar = make("progress", { class: "accent", max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
  line.append(bar);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.onprogress = (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; };
  return new Promise((done) => {
    request.onload = () => done(request.status === 200 ? request.response.results : [problem(file, request)]);
    request.onerror = () => done([{ name: file.name, outcome: "no_answer", tone: "bad", text: "no answer", detail: "The server did not answer. Try this file again." }]);
    request.send(body);
  });
}

function problem(file, { status, response }) {
  const text = (response?.code ?? `error ${status}`).replaceAll("_", " ");
  return { name: file.name, outcome: "error", tone: "bad", text, detail: response?.detail ?? "" };
}

const row = ({ name, tone, text, detail }) => make(
  "li", {}, make("span", { class: "file" }, name), make("span", { class: `tag ${tone}` }, text),
  detail ? make("small", { class: "dim" }, detail) : null,
);

function count(outcome) {
  counts[outcome in counts ? outcome : "refused"] += 1;
  const words = [`${counts.ok} stored`, counts.duplicate && `${counts.duplicate} here already`, counts.refused && `${counts.refused} refused`];
  $("#outcomes .summary").textContent = words.filter(Boolean).join(", ");
}

async function upload(files) {
  if (!files.length) return;
  if (!$("#outcomes .outcomes")) $("#outcomes").replaceChildren(make("p", { class: "summary" }), make("ul", { class: "outcomes" }));
  const list = $("#outcomes .outcomes");
  const waiting = files.map((file) => {
    const line = make("li", {}, make("span", { class: "file" }, file.name), make("span", { class: "tag" }, "waiting"));
    list.append(line);
    return [file, line];
  });
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [file, line] = next;
      $(".tag", line).textContent = "sending";
      const results = await send(file, line);
      results.forEach(({ outcome }) => count(outcome));
      line.replaceWith(...results.map(row));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await refresh("figures", "photos", "start");
}

input.addEventListener("change", () => {
  const files = [...input.files];
  input.value = "";
  upload(files);
});
for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  upload([...event.dataTransfer.files]);
});
