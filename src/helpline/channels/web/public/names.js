// Names for controls of Chainlit that show only a picture, so that a screen reader can say what they do; and
// the keyboard: Chainlit puts the cursor into the message field at the start, where P is only a letter.
import { watch } from "./dom.js";
import { words } from "./words.js";

const NAMES = {
  "#new-chat-button": words.newChat,
  "#theme-toggle": words.theme,
  "#chat-submit": words.send,
  "#stop-button": words.stop,
};

/** Keep the names there while React comes and goes. */
export function nameControls() {
  document.documentElement.style.setProperty("--hl-unheard", JSON.stringify(` (${words.unheard})`));
  watch(() => {
    for (const [selector, name] of Object.entries(NAMES)) named(document.querySelector(selector), name);
    const input = document.querySelector("#chat-input");
    named(input, words.input);
    if (input && !input.isContentEditable) input.setAttribute("aria-multiline", "true");
    const voice = document.querySelector("#message-composer .lucide-x, #message-composer canvas");
    const talk = voiceButton();
    named(talk, voice ? words.voiceOff : words.voiceOn);
    // In an attribute, for the style sheet to show: React owns what is in the button.
    const label = voice ? words.endVoice : words.talk;
    if (talk && talk.dataset.hlTalk !== label) talk.dataset.hlTalk = label;
    const log = document.querySelector("#root .step")?.parentElement;
    if (log && !log.hasAttribute("role")) {
      log.setAttribute("role", "log");
      log.setAttribute("aria-label", words.conversation);
    }
  });
}

/** P talks from the first moment on; any other letter begins a message. */
export function freeTheKeyboard() {
  let touched = false;
  for (const kind of ["pointerdown", "keydown"]) {
    window.addEventListener(kind, () => (touched = true), { capture: true, once: true });
  }
  document.addEventListener("focusin", ({ target }) => {
    if (!touched && target.id === "chat-input") target.blur();
  });
  document.addEventListener("keydown", (event) => {
    const letter = event.key.length === 1 && event.key !== " " && !/^p$/i.test(event.key);
    const free = document.activeElement === document.body || document.activeElement === null;
    if (letter && free && !event.ctrlKey && !event.metaKey && !event.altKey) {
      document.querySelector("#chat-input")?.focus();
    }
  });
}

function voiceButton() {
  return document.querySelector("#message-composer > div:last-child > div:first-child button");
}

function named(element, name) {
  if (element && element.getAttribute("aria-label") !== name) element.setAttribute("aria-label", name);
}
