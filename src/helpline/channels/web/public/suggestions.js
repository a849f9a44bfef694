// What a customer may begin with: a few sentences, each a press, until the conversation has begun.
import { tellDesk } from "./mailbox.js";
import { el, watch } from "./dom.js";
import { words } from "./words.js";

const list = el("ul", { id: "hl-suggestions", "aria-label": words.suggestions, hidden: "" });

document.addEventListener("DOMContentLoaded", () => document.body.append(list));
watch(() => {
  // The customer has typed something of their own.
  if (!list.hidden && document.querySelector('#root [data-step-type="user_message"]')) list.hidden = true;
});

/** Offer these sentences; none: the conversation has begun. The desk knows each by its place. */
export function showSuggestions(sentences) {
  list.replaceChildren(...sentences.map(suggestion));
  list.hidden = sentences.length === 0;
}

function suggestion(sentence, number) {
  const button = el("button", { type: "button" }, sentence);
  button.addEventListener("click", () => {
    list.hidden = true;
    tellDesk("suggested", { number });
  });
  return el("li", {}, button);
}
