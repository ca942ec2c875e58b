// The keys of the vote page, the one table behind binding, sheet and aria-keyshortcuts.

const PAN_PX = 60;

export function voteKeys(act) {
  const { camera } = act;
  return [
    { group: "Vote", on: ["ArrowLeft", "KeyJ"], label: "Left (or top) is better", control: "#left" },
    { group: "Vote", on: ["ArrowRight", "KeyK"], label: "Right (or bottom) is better", control: "#right" },
    { group: "Vote", on: ["ArrowDown", "KeyT"], label: "Tie", control: "#tie" },
    { group: "Vote", on: ["ArrowUp", "KeyN"], label: "Both bad", control: "#both_bad" },
    { group: "Vote", on: ["KeyZ", "Backspace"], label: "Undo", control: "#undo" },
    { group: "Look", on: ["Space"], label: "Flicker: swap in place, while held", control: "#flicker", press: () => act.flicker(true), release: () => act.flicker(false) },
    { group: "Look", on: ["KeyO"], label: "Photo, while held", control: "#peek", press: () => act.peek(true), release: () => act.peek(false) },
    { group: "Look", on: ["KeyP"], label: "Edited, or as it is", control: "#edited", press: act.toggleEdit },
    { group: "Look", on: ["KeyB"], label: "Next matte", press: () => act.stepMatte(1), repeats: true },
    { group: "Look", on: ["Shift+KeyB"], label: "Previous matte", press: () => act.stepMatte(-1), repeats: true },
    { group: "Look", on: ["KeyW"], label: "Worst-case matte", press: act.toggleWorst },
    { group: "Mode", on: ["Digit1", "Numpad1"], label: "Side by side", control: "#mode-two" },
    { group: "Mode", on: ["Digit2", "Numpad2"], label: "Swipe", control: "#mode-swipe" },
    { group: "Mode", on: ["Digit3", "Numpad3"], label: "Onion skin", control: "#mode-onion" },
    { group: "Mode", on: ["Digit4", "Numpad4"], label: "Difference", control: "#mode-difference" },
    { group: "Mode", on: ["BracketLeft"], label: "Divider or mix to the left", press: () => act.slide(-0.04), repeats: true },
    { group: "Mode", on: ["BracketRight"], label: "Divider or mix to the right", press: () => act.slide(0.04), repeats: true },
    { group: "Camera", on: ["Digit0", "Numpad0"], label: "Fit", control: "#zoom", press: () => camera.fit() },
    { group: "Camera", on: ["Shift+Digit1"], label: "100 %", press: () => camera.actual() },
    { group: "Camera", on: ["Equal", "Shift+Equal", "NumpadAdd"], label: "Zoom in", press: () => camera.zoomIn(1.25), repeats: true },
    { group: "Camera", on: ["Minus", "NumpadSubtract"], label: "Zoom out", press: () => camera.zoomIn(0.8), repeats: true },
    { group: "Camera", on: ["Shift+ArrowLeft"], label: "Pan left", press: () => camera.panBy(PAN_PX, 0), repeats: true },
    { group: "Camera", on: ["Shift+ArrowRight"], label: "Pan right", press: () => camera.panBy(-PAN_PX, 0), repeats: true },
    { group: "Camera", on: ["Shift+ArrowUp"], label: "Pan up", press: () => camera.panBy(0, PAN_PX), repeats: true },
    { group: "Camera", on: ["Shift+ArrowDown"], label: "Pan down", press: () => camera.panBy(0, -PAN_PX), repeats: true },
    { group: "Help", on: ["Shift+Slash"], label: "This sheet", control: "#open-keys", fixed: true },
  ];
}
