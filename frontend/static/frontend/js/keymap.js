// Keys that people changed, kept in this browser: {label: code}. Only the first key of an entry can be changed; entries
// that are `fixed` cannot.

const STORED = "rld.keys";
const NEVER = ["Escape", "Tab", "Enter", "Shift+Tab", "Shift+Enter", "Shift+Slash", "CapsLock"];
const MODIFIERS = /^(Shift\+)?(Shift|Control|Alt|Meta)(Left|Right)$/;

/** Puts the stored changes into the table. Call once, before binding. */
export function applyChanges(table) {
  const changes = read();
  for (const entry of table) {
    entry.defaults = entry.on;
    if (changes[entry.label] && !entry.fixed) entry.on = withFirst(entry, changes[entry.label]);
  }
}

export const isModifier = (code) => MODIFIERS.test(code);
export const isChanged = (entry) => entry.on[0] !== entry.defaults[0];

/** Gives the entry this key. Returns {} or why not: {never: true}, or {conflict: entry} for the one that has it. */
export function change(table, entry, code) {
  if (NEVER.includes(code)) return { never: true };
  const conflict = table.find((other) => other !== entry && other.on.includes(code));
  if (conflict) return { conflict };
  set(entry, code);
  return {};
}

/** Can `entry` have the key of `other`, and `other` the one of `entry`? */
export const canSwap = (entry, other) => !other.fixed && !entry.fixed && other.on.length > 0;

export function swap(entry, other) {
  const [mine, theirs] = [entry.on[0], other.on[0]];
  set(entry, theirs);
  set(other, mine);
}

export function reset(table) {
  for (const entry of table) entry.on = entry.defaults;
  write({});
}

function set(entry, code) {
  const { [entry.label]: _, ...others } = read();
  entry.on = withFirst(entry, code);
  write(code === entry.defaults[0] ? others : { ...others, [entry.label]: code });
}

const withFirst = ({ defaults }, code) => [code, ...defaults.slice(1).filter((other) => other !== code)];

function read() {
  try {
    return JSON.parse(localStorage.getItem(STORED)) ?? {};
  } catch {
    return {};
  }
}

function write(changes) {
  try {
    localStorage.setItem(STORED, JSON.stringify(changes));
  } catch {
    // A browser without storage forgets the change with the page.
  }
}
