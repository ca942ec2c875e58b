// Make one piece of the page look like a newer one from the server, touching only what differs: open details stay
// open, focus stays, and widths move instead of jumping.

const KEPT_BY_PEOPLE = new Set(["open"]);

export function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !KEPT_BY_PEOPLE.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const [before, after] = [[...old.childNodes], [...fresh.childNodes]];
  after.forEach((node, n) => (n < before.length ? morph(before[n], node) : old.append(node)));
  before.slice(after.length).forEach((node) => node.remove());
}

/** Fetch this page again and renew the elements with these ids; false when the server had no such page for us. */
export async function refresh(...ids) {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return false;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ids) {
    const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (old && fresh) morph(old, document.adoptNode(fresh));
  }
  return true;
}
