// The keys of the repair page, the one table behind binding, sheet and aria-keyshortcuts.

const PAN_PX = 60;

export function repairKeys(act) {
  const tool = (code, label, name) => ({ group: "Tools", on: [code], label, control: `#tools [value=${name}]` });
  const arrow = (code, dx, dy, label) => ({ group: "Camera, or the cross when the photo has the focus", on: [code], label, press: () => act.arrow(dx, dy, PAN_PX), repeats: true });
  return [
    tool("KeyB", "Box: start over inside it", "box"),
    tool("KeyK", "Keep: this belongs to it", "keep"),
    tool("KeyX", "Remove: this does not", "remove"),
    tool("KeyP", "Paint the mask", "paint"),
    tool("KeyE", "Erase the mask", "erase"),
    tool("KeyV", "Move the picture", "move"),
    { group: "Tools", on: ["Space"], label: "Move, while held; pen down or up when the photo has the focus", press: act.space, release: act.spaceUp },
    { group: "Brush", on: ["BracketLeft"], label: "Smaller", press: () => act.resize(-1), repeats: true },
    { group: "Brush", on: ["BracketRight"], label: "Larger", press: () => act.resize(1), repeats: true },
    { group: "Brush", on: ["Shift+BracketLeft"], label: "Softer", press: () => act.harden(-0.1), repeats: true },
    { group: "Brush", on: ["Shift+BracketRight"], label: "Harder", press: () => act.harden(0.1), repeats: true },
    { group: "Draft", on: ["KeyZ", "Backspace"], label: "Undo a mark", control: "#undo", repeats: true },
    { group: "Draft", on: ["Shift+KeyZ"], label: "Redo a mark", control: "#redo", repeats: true },
    { group: "Draft", on: ["KeyH"], label: "Part behind others: as it was, or found again", press: act.toggleHidden },
    { group: "Draft", on: ["Enter"], label: "Hand in", control: "#submit", fixed: true },
    { group: "Draft", on: ["Escape"], label: "Back, the draft is kept", press: act.escape, fixed: true },
    { group: "Look", on: ["KeyM"], label: "Next matte of the result", press: () => act.stepMatte(1), repeats: true },
    { group: "Look", on: ["Shift+KeyM"], label: "Previous matte of the result", press: () => act.stepMatte(-1), repeats: true },
    { group: "Look", on: ["KeyO"], label: "Bare photo, while held", control: "#original", press: () => act.hold(true), release: () => act.hold(false) },
    { group: "Camera, or the cross when the photo has the focus", on: ["Digit0", "Numpad0"], label: "Fit", control: "#zoom" },
    { group: "Camera, or the cross when the photo has the focus", on: ["Shift+Digit1"], label: "100 %", press: () => act.camera.actual() },
    { group: "Camera, or the cross when the photo has the focus", on: ["Equal", "Shift+Equal", "NumpadAdd"], label: "Zoom in", press: () => act.camera.zoomIn(1.25), repeats: true },
    { group: "Camera, or the cross when the photo has the focus", on: ["Minus", "NumpadSubtract"], label: "Zoom out", press: () => act.camera.zoomIn(0.8), repeats: true },
    arrow("ArrowLeft", -1, 0, "Left"),
    arrow("ArrowRight", 1, 0, "Right"),
    arrow("ArrowUp", 0, -1, "Up"),
    arrow("ArrowDown", 0, 1, "Down"),
    { group: "Help", on: ["Shift+Slash"], label: "This sheet", control: "#open-keys", fixed: true },
  ];
}
