// What the customer thinks of the conversation: two thumbs, and a word about it for who likes to say one.
import { el } from "./dom.js";
import { tellDesk } from "./mailbox.js";
import { words } from "./words.js";

const UP = "M7 11v9H4v-9h3Zm0 0 4-8c1.7 0 2.4 1 2.2 2.6L12.7 9H19a1.8 1.8 0 0 1 1.8 2.1l-1.3 7.4A1.8 1.8 0 0 1 17.7 20H7";

const good = thumb(true, words.helpful);
const bad = thumb(false, words.unhelpful);
const comment = el("input", { type: "text", maxlength: "500", "aria-label": words.whyRated, placeholder: words.whyRated });
const thanks = el("p", { role: "status" });
const form = el(
  "form",
  { class: "hl-why", hidden: "" },
  thanks,
  el("div", {}, comment, el("button", { type: "submit" }, words.send)),
);

/** The thumbs, hidden until there is a conversation to speak of. */
export const rating = el("div", { class: "hl-rating", role: "group", "aria-label": words.rating, hidden: "" }, good, bad, form);

/** There is a conversation: it can be rated. */
export function offerRating(state) {
  if (state !== "idle") rating.hidden = false;
  // A phone's bar has room for what the desk is doing, or for this.
  rating.classList.toggle("hl-busy", state !== "idle" && state !== "ended");
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  rate(good.getAttribute("aria-pressed") === "true", comment.value);
  comment.value = "";
  form.hidden = true;
});
form.addEventListener("keydown", (event) => {
  event.stopPropagation(); // P talks, elsewhere on the page
  if (event.key === "Escape") form.hidden = true;
});

function rate(isGood, text) {
  good.setAttribute("aria-pressed", String(isGood));
  bad.setAttribute("aria-pressed", String(!isGood));
  tellDesk("rating", { good: isGood, comment: text });
}

function thumb(isGood, name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", UP);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(line);
  const button = el("button", { class: isGood ? "" : "hl-down", type: "button", "aria-pressed": "false", "aria-label": name, title: name }, svg);
  button.addEventListener("click", () => {
    rate(isGood, "");
    thanks.textContent = words.thanks;
    form.hidden = false;
    comment.focus();
  });
  return button;
}
