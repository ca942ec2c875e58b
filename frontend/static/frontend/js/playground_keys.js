// The keys of the playground, the one table behind binding, sheet and aria-keyshortcuts.

const PAN_PX = 60;
const CAMERA = "Camera, or the cross when the photo has the focus";

export function playgroundKeys(act) {
  const tool = (code, label, name) => ({ group: "Tools", on: [code], label, control: `#tools [value=${name}]` });
  const arrow = (code, dx, dy, label) => ({ group: CAMERA, on: [code], label, press: () => act.arrow(dx, dy, PAN_PX), repeats: true });
  const nudge = (code, dx, dy, label) => ({ group: "Chosen layer", on: [`Shift+${code}`], label, press: () => act.nudge(dx, dy), repeats: true });
  return [
    tool("KeyC", "Point: click on the object", "point"),
    tool("KeyB", "Box round the object", "box"),
    tool("KeyP", "Paint over the object", "paint"),
    tool("KeyE", "Erase paint", "erase"),
    tool("KeyD", "Drag layers about", "drag"),
    tool("KeyV", "Move the picture", "move"),
    { group: "Tools", on: ["Space"], label: "Move, while held; a mark or pen down and up when the photo has the focus", press: act.space, release: act.spaceUp },
    { group: "Tools", on: ["BracketLeft"], label: "Smaller brush", press: () => act.resize(-1), repeats: true },
    { group: "Tools", on: ["BracketRight"], label: "Larger brush", press: () => act.resize(1), repeats: true },
    { group: "Prompt", on: ["KeyT"], label: "Say what it is", press: act.text },
    { group: "Prompt", on: ["KeyZ", "Backspace"], label: "Undo", control: "#undo", repeats: true },
    { group: "Prompt", on: ["Shift+KeyZ"], label: "Redo", control: "#redo", repeats: true },
    { group: "Prompt", on: ["Enter"], label: "Keep this layer, begin the next", control: "#keep", fixed: true },
    { group: "Prompt", on: ["KeyG"], label: "Background without the layers", control: "#background" },
    { group: "Prompt", on: ["KeyO"], label: "Another photo", control: "#open-photos" },
    { group: "Chosen layer", on: ["KeyH"], label: "Hide or show", press: act.hide },
    { group: "Chosen layer", on: ["PageUp"], label: "Forward", press: () => act.reorder(-1) },
    { group: "Chosen layer", on: ["PageDown"], label: "Backward", press: () => act.reorder(1) },
    { group: "Chosen layer", on: ["KeyS"], label: "Save it as a layer of the project", control: "#save button" },
    { group: "Chosen layer", on: ["Delete"], label: "Remove", press: act.remove },
    nudge("ArrowLeft", -1, 0, "Move left"),
    nudge("ArrowRight", 1, 0, "Move right"),
    nudge("ArrowUp", 0, -1, "Move up"),
    nudge("ArrowDown", 0, 1, "Move down"),
    { group: "Look", on: ["KeyM"], label: "Next matte", press: () => act.stepMatte(1), repeats: true },
    { group: "Look", on: ["Shift+KeyM"], label: "Previous matte", press: () => act.stepMatte(-1), repeats: true },
    { group: CAMERA, on: ["Digit0", "Numpad0"], label: "Fit", control: "#zoom" },
    { group: CAMERA, on: ["Shift+Digit1"], label: "100 %", press: () => act.camera.actual() },
    { group: CAMERA, on: ["Equal", "Shift+Equal", "NumpadAdd"], label: "Zoom in", press: () => act.camera.zoomIn(1.25), repeats: true },
    { group: CAMERA, on: ["Minus", "NumpadSubtract"], label: "Zoom out", press: () => act.camera.zoomIn(0.8), repeats: true },
    arrow("ArrowLeft", -1, 0, "Left"),
    arrow("ArrowRight", 1, 0, "Right"),
    arrow("ArrowUp", 0, -1, "Up"),
    arrow("ArrowDown", 0, 1, "Down"),
    { group: "Help", on: ["Shift+Slash"], label: "This sheet", control: "#open-keys", fixed: true },
  ];
}
