// Push to talk, where the desk wants it: hold the button, or the space bar, while you speak. It is there while
// the microphone is open (`hl-voice`), and whatever takes the key away lets go of it: a button that stays down
// would have the desk wait for ever.
import { tellDesk } from "./mailbox.js";
import { el } from "./dom.js";
import { words } from "./words.js";

const button = el(
  "button",
  { id: "hl-push", type: "button", title: words.pushLong, "aria-label": words.pushLong, "aria-pressed": "false" },
  words.push,
);
let down = false;

function push(now) {
  if (now === down) return;
  down = now;
  button.setAttribute("aria-pressed", String(down));
  button.textContent = down ? words.pushed : words.push;
  tellDesk("push", { down });
}

const wanted = () => document.body.classList.contains("hl-voice") && button.isConnected;

/** Have the button, or none. */
export function showPush({ push: wants }) {
  if (!wants) {
    push(false);
    button.remove();
  } else if (!button.isConnected) {
    document.body.append(button);
  }
}

button.addEventListener("pointerdown", (event) => {
  button.setPointerCapture(event.pointerId); // the finger may slip off it
  push(true);
});
for (const kind of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
  button.addEventListener(kind, () => push(false));
}
button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch asks for one
document.addEventListener(
  "keydown",
  (event) => {
    const free = [document.body, button, null].includes(document.activeElement);
    if (event.key !== " " || !free || !wanted()) return;
    event.preventDefault();
    if (!event.repeat) push(true);
  },
  { capture: true },
);
document.addEventListener("keyup", (event) => event.key === " " && push(false), { capture: true });
window.addEventListener("blur", () => push(false));
document.addEventListener("visibilitychange", () => push(false));

/** The microphone was opened or closed. */
export function voiceIsOn(on) {
  if (!on) push(false);
  document.body.classList.toggle("hl-voice", on);
}
