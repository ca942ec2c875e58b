// Home: R goes on with the first queue; hours are shown in the time zone of the person.

import { $, $$ } from "./dom.js";
import { bindKeys } from "./keys.js";

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
for (const node of $$("[data-hour]")) node.textContent = clock.format(new Date(node.dataset.hour));
for (const node of $$("[data-time]")) node.textContent = clock.format(new Date(node.dateTime));
if ($("#continue")) bindKeys([{ group: "Home", on: ["KeyR"], label: "Go on with the first queue", control: "#continue" }]);
