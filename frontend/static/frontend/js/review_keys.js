// The keys of the review page, the one table behind binding, sheet and aria-keyshortcuts.

const PAN_PX = 60;

export function reviewKeys(act) {
  const { camera } = act;
  return [
    { group: "Decide", on: ["KeyA"], label: "Accept", control: "#accept" },
    { group: "Decide", on: ["KeyX"], label: "Reject", control: "#reject" },
    { group: "Decide", on: ["Space"], label: "Unsure, skip", control: "#unsure" },
    { group: "Decide", on: ["KeyQ"], label: "Broken picture", control: "#broken" },
    { group: "Decide", on: ["KeyM"], label: "Mend the layer by hand", control: "#mend" },
    { group: "Decide", on: ["KeyZ", "Backspace"], label: "Undo, up to 50 back", control: "#undo" },
    { group: "Decide", on: ["KeyF"], label: "Flag for the curator", control: "#flag" },
    { group: "Decide", on: ["KeyN"], label: "Write a note, Esc to leave it", control: "#note", press: act.writeNote },
    ...act.defects.map(({ kind, label }, index) => ({
      group: "Defects, then click the place", on: [`Digit${index + 1}`, `Numpad${index + 1}`], label, control: `#defect-${index + 1}`, press: () => act.toggleDefect(kind),
    })),
    { group: "Defects, then click the place", on: ["Escape"], label: "Leave it without a place", press: act.disarm, fixed: true },
    { group: "Look", on: ["KeyB"], label: "Next matte", press: () => act.stepMatte(1), repeats: true },
    { group: "Look", on: ["Shift+KeyB"], label: "Previous matte", press: () => act.stepMatte(-1), repeats: true },
    { group: "Look", on: ["KeyW"], label: "Worst-case matte", press: act.toggleWorst },
    { group: "Look", on: ["KeyO"], label: "Original, while held", control: "#original", press: () => act.hold("photo"), release: () => act.hold(null) },
    { group: "Look", on: ["KeyL"], label: "Lift the layer, while held", control: "#lift", press: () => act.hold("lift"), release: () => act.hold(null) },
    { group: "Look", on: ["KeyC"], label: "Composite of all layers", control: "#view-stack", press: () => act.toggleView("stack") },
    { group: "Look", on: ["KeyR"], label: "Residual heat-map", control: "#view-residual", press: () => act.toggleView("residual") },
    { group: "Look", on: ["KeyE"], label: "Edge walk", control: "#view-edge", press: () => act.toggleView("edge") },
    { group: "Look", on: ["Comma"], label: "Previous place on the edge", control: "#edge-back", press: () => act.walk(-1), repeats: true },
    { group: "Look", on: ["Period"], label: "Next place on the edge", control: "#edge-next", press: () => act.walk(1), repeats: true },
    { group: "Look", on: ["KeyP"], label: "Next prompt of this layer", press: act.nextPrompt },
    { group: "Layers", on: ["ArrowUp"], label: "Layer above", press: () => act.pick(-1), repeats: true },
    { group: "Layers", on: ["ArrowDown"], label: "Layer below", press: () => act.pick(1), repeats: true },
    { group: "Layers", on: ["KeyS"], label: "Only this layer", press: act.soloThis },
    { group: "Layers", on: ["KeyH"], label: "Hide or show this layer", press: act.hideThis },
    { group: "Camera", on: ["Digit0", "Numpad0"], label: "Fit", control: "#zoom", press: () => camera.fit() },
    { group: "Camera", on: ["Shift+Digit1"], label: "100 %", press: () => camera.actual() },
    { group: "Camera", on: ["KeyV"], label: "Two, four or one pane", press: act.nextPanes },
    { group: "Camera", on: ["Equal", "Shift+Equal", "NumpadAdd"], label: "Zoom in", press: () => camera.zoomIn(1.25), repeats: true },
    { group: "Camera", on: ["Minus", "NumpadSubtract"], label: "Zoom out", press: () => camera.zoomIn(0.8), repeats: true },
    { group: "Camera", on: ["Shift+ArrowLeft"], label: "Pan left", press: () => camera.panBy(PAN_PX, 0), repeats: true },
    { group: "Camera", on: ["Shift+ArrowRight"], label: "Pan right", press: () => camera.panBy(-PAN_PX, 0), repeats: true },
    { group: "Camera", on: ["Shift+ArrowUp"], label: "Pan up", press: () => camera.panBy(0, PAN_PX), repeats: true },
    { group: "Camera", on: ["Shift+ArrowDown"], label: "Pan down", press: () => camera.panBy(0, -PAN_PX), repeats: true },
    { group: "Help", on: ["Shift+Slash"], label: "This sheet", control: "#open-keys", fixed: true },
  ];
}
