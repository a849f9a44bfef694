// The strip above the conversation: what the desk is doing, a way to stop it, a person, and in the demo shop
// who the customer is. It stands beside Chainlit's own elements, never in them: React owns those.
import { tellDesk } from "./mailbox.js";
import { el, icon } from "./dom.js";
import { account, showAccount } from "./account.js";
import { showSuggestions } from "./suggestions.js";
import { offerRating, rating } from "./rating.js";
import { words } from "./words.js";

const label = el("span", { class: "hl-state-label" }, words.states.idle);
const stop = el(
  "button",
  { class: "hl-stop", type: "button", "aria-label": words.stopLong, title: words.stopLong, hidden: "" },
  el("span", {}, words.stop),
);
const state = el(
  "div",
  { class: "hl-state", role: "status", "aria-label": words.desk, "data-state": "idle" },
  el("span", { class: "hl-dot", "aria-hidden": "true" }),
  label,
);
const person = el(
  "button",
  // Until the desk is there, nobody would hear of it.
  { class: "hl-person", type: "button", "aria-label": words.person, title: words.person, disabled: "" },
  icon("M4 13v-2a8 8 0 0 1 16 0v2M4 13v3a2 2 0 0 0 2 2h1v-6H5a1 1 0 0 0-1 1Zm16 0v3a2 2 0 0 1-2 2h-1v-6h2a1 1 0 0 1 1 1Zm-2 5v1a2 2 0 0 1-2 2h-3"),
  el("span", {}, words.person),
);
const name = el("h1", { class: "hl-name" });
const logo = document.querySelector('meta[name="hl-logo"]')?.content;
const logoDark = document.querySelector('meta[name="hl-logo-dark"]')?.content;
const language = el(
  "select",
  { class: "hl-language", "aria-label": words.language },
  el("option", { value: "en", lang: "en", "aria-label": "English" }, "EN"),
  el("option", { value: "zh", lang: "zh", "aria-label": "中文" }, "中文"),
);
const slower = el(
  "button",
  { class: "hl-slower", type: "button", "aria-pressed": "false", "aria-label": words.slower, title: words.slower },
  icon("M4 17h9m3.5 0a3.5 3.5 0 1 0-7 0M3 17c0-4.5 2.8-8 6.5-8 2.6 0 4.7 1.7 5.8 4M16 13l1.5-3.5c.4-1 1.2-1.5 2-1.5 1 0 1.5.8 1.5 1.7 0 1.6-1.2 2.3-2.6 2.5M6 17v2m8-2v2"),
);
const bar = el("header", { id: "hl-bar" }, name, state, stop, rating, person, slower, account, language);
const customer = el("select", { "aria-label": words.customer });
const demo = el("aside", { "aria-label": words.demoShop, id: "hl-demo", hidden: "" }, el("span", {}, words.demo), customer);

stop.addEventListener("click", () => tellDesk("stop"));
slower.addEventListener("click", () => {
  showPace({ slower: slower.getAttribute("aria-pressed") !== "true" });
  tellDesk("pace", { slower: slower.getAttribute("aria-pressed") === "true" });
});
person.addEventListener("click", () => tellDesk("person"));
customer.addEventListener("change", () => tellDesk("customer", { id: customer.value }));
language.value = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
language.addEventListener("change", () => {
  // The document, and Chainlit's own words in it, come in one language: the page is asked for again, and finds
  // its call by its cookie.
  const path = document.querySelector('meta[property="og:root_path"]').content || "/";
  document.cookie = `helpline_language=${language.value}; path=${path}; max-age=31536000; samesite=strict`;
  window.location.reload();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !stop.hidden) tellDesk("stop");
});
document.addEventListener("DOMContentLoaded", () => document.body.append(bar, demo));

/** What the desk is doing, and which tool or why. */
export function showState({ state: now, detail }) {
  const known = words.states[now] ?? now;
  state.dataset.state = now;
  offerRating(now);
  if (now !== "idle") showSuggestions([]);
  // A phone's bar has room for the rating, or for this: where nobody speaks it is no use.
  slower.classList.toggle("hl-unspoken", now === "idle" || now === "ended");
  label.textContent = detail ? `${known.replace("…", "")} · ${detail}` : known;
  stop.hidden = now !== "speaking";
}

/** Whose desk this is, and whom a visitor of the demo shop may be. */
export function showDesk({ name: shop, customers, customer: current, signs_in: signsIn, providers, signed_in: who, slower: slow, suggestions }) {
  showPace({ slower: slow === true });
  name.replaceChildren(...pictured(shop));
  showAccount(signsIn, providers, who);
  showSuggestions(suggestions);
  person.disabled = false;
  demo.hidden = customers.length === 0;
  document.body.classList.toggle("hl-has-demo", customers.length > 0);
  customer.replaceChildren(
    ...customers.map((who) => el("option", { value: who.id, selected: who.id === current ? "" : null }, who.name)),
  );
}

/** Whether the desk speaks more slowly than it would. */
export function showPace({ slower: slow }) {
  slower.setAttribute("aria-pressed", String(slow));
}

/** The conversation has moved to another tab. */
export function showElsewhere({ text }) {
  showState({ state: "ended", detail: text });
}

function pictured(shop) {
  if (!logo) return [shop];
  const light = el("img", { src: logo, alt: shop });
  if (!logoDark) return [light];
  light.className = "hl-if-light";
  return [light, el("img", { src: logoDark, alt: shop, class: "hl-if-dark" })];
}
