// One way to talk to the API: JSON in and out, CSRF token, request id for people to quote.

const cookie = (name) => document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);

const ask = (method, url, body, options) => fetch(url, {
  method,
  credentials: "same-origin",
  headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": cookie("csrftoken") ?? "" },
  body: body && JSON.stringify(body),
  ...options,
});

/** For answers that are files: resolves to the Response. */
export const postForFile = (url, body) => ask("POST", url, body);

/** Resolves to {status, data, requestId} for every answer; rejects only when there was none (no network). */
export async function send(method, url, body, { keepalive = false } = {}) {
  const response = await ask(method, url, body, { keepalive });
  const isJson = response.headers.get("Content-Type")?.includes("json");
  return { status: response.status, data: isJson ? await response.json() : null, requestId: response.headers.get("X-Request-Id") };
}

export const post = (url, body = {}, options) => send("POST", url, body, options);

const SIGNED_OUT = ["not_authenticated", "authentication_failed"];

/** Did the server say that nobody is signed in? (Django's session answers 401 or 403, and 403 for a stale CSRF token.) */
export const isSignedOut = ({ status, data }) =>
  status === 401 || (status === 403 && (SIGNED_OUT.includes(data?.code) || /csrf/i.test(data?.detail ?? "")));

/** A UUID also where crypto.randomUUID is missing: pages served over plain http on a local network. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
