// Small helpers for making and finding elements; nothing here knows what page it is on.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** make("button", {class: "button", onclick: f, disabled: true}, "text", node): a new element. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function makeSvg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const icon = (name, extra = "") => makeSvg(
  "svg", { class: `icon ${extra}`, "aria-hidden": "true" },
  makeSvg("use", { href: `${document.documentElement.dataset.icons}#${name}` }),
);

/** A layer's thumbnail, cropped to `box` in a picture of `size` pixels. */
export function cutout(href, [x0, y0, x1, y1], [width, height]) {
  const margin = 0.06 * Math.max(x1 - x0, y1 - y0);
  const viewBox = [x0 - margin, y0 - margin, x1 - x0 + 2 * margin, y1 - y0 + 2 * margin].join(" ");
  const picture = makeSvg("image", { href, width, height, preserveAspectRatio: "none" });
  return makeSvg("svg", { class: "cutout", viewBox, "aria-hidden": "true" }, picture);
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The JSON that the server put into the page with Django's json_script. */
export const pageData = (id) => JSON.parse(document.getElementById(id).textContent);

/** A short message at the bottom; screen readers hear it. The newest replaces the one before. */
export function toast(content, milliseconds = 2500) {
  const box = $("#toasts");
  const message = make("div", { class: "toast" }, content);
  box.replaceChildren(message);
  setTimeout(() => message.remove(), milliseconds);
}
