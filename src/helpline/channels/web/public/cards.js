// Cards beside the desk's words, drawn from data. A card belongs to a step of Chainlit, whose plain text says
// the same: that text is hidden while the card is there, and stands alone where this script is not.
import { tellDesk } from "./mailbox.js";
import { el, watch } from "./dom.js";
import { words } from "./words.js";

const cards = new Map();
const drawn = new Map();
const NEAR_THE_END = 400;
let watching = false;

/** Draw a card at the step of this id, or draw it anew; the step may come later than its card. */
export function drawCard(id, card) {
  cards.set(id, card);
  drawn.get(id)?.remove();
  drawn.delete(id);
  if (!watching) watch(attachAll);
  watching = true;
  attach(id);
}

function attachAll() {
  for (const id of cards.keys()) attach(id);
}

function attach(id) {
  const step = document.getElementById(`step-${id}`);
  const text = step?.querySelector(".message-content");
  if (!text) return;
  const card = cards.get(id);
  if (card.kind === "notice") {
    step.closest(".step")?.setAttribute("data-hl-notice", card.tone);
    return;
  }
  if (drawn.get(id)?.isConnected) return;
  const element = element_of(card);
  drawn.set(id, element);
  keepInView(step, () => {
    text.hidden = true;
    text.after(element);
  });
}

function element_of(card) {
  if (card.kind === "proposal") return proposal(card);
  if (card.kind === "receipt") return receipt(card);
  return plain(card);
}

/** A card is taller than the text it stands for: who was reading the end goes on reading the end. */
function keepInView(step, grow) {
  let scroller = step.parentElement;
  while (scroller && !/auto|scroll/.test(getComputedStyle(scroller).overflowY)) scroller = scroller.parentElement;
  const left = scroller ? scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight : 0;
  grow();
  if (scroller && left < NEAR_THE_END) scroller.scrollTop = scroller.scrollHeight;
}

// --- kinds ---

function plain({ kind, title, data }) {
  const { status, ...rest } = data;
  const heading = [el("h3", {}, title)];
  if (status) heading.push(el("span", { class: "hl-badge", "data-status": status }, words.statuses[status] ?? sentence(status)));
  return frame(kind, words.kinds[kind] ?? sentence(kind), el("header", {}, ...heading), ...values(kind, rest));
}

function proposal(card) {
  const { title, amount, text, data, outcome, proposal: id } = card;
  const buttons = outcome
    ? el("p", { class: "hl-outcome", "data-outcome": outcome }, words.outcomes[outcome] ?? outcome)
    : el("div", { class: "hl-answers" }, answer(id, true), answer(id, false));
  return frame(
    "proposal",
    words.proposal,
    el("header", {}, el("h3", {}, title), amount ? el("span", { class: "hl-amount" }, amount) : null),
    el("p", { class: "hl-text" }, text),
    ...values("proposal", data),
    buttons,
  );
}

/** A yes counts once: both buttons go quiet with the first press, and come back with the next drawing. */
function answer(id, yes) {
  const press = ({ currentTarget }) => {
    for (const button of currentTarget.parentElement.children) button.disabled = true;
    tellDesk("answer", { proposal: id, yes });
  };
  const label = yes ? words.yes : words.no;
  return el("button", { type: "button", class: yes ? "hl-yes" : "hl-no", onclick: press }, label);
}

function receipt({ title, text, data, at, repeated }) {
  return frame(
    "receipt",
    repeated ? words.receiptAgain : words.receipt,
    el("header", {}, el("h3", {}, title), el("time", { datetime: at }, moment(at))),
    el("p", { class: "hl-text" }, text),
    ...values("receipt", data),
  );
}

function frame(kind, label, ...children) {
  const element = el("section", { class: "hl-card", "data-kind": kind, "aria-label": label });
  element.append(el("p", { class: "hl-kind" }, label), ...children);
  return element;
}

// --- values ---

// What the card's heading, or another of its values, says already.
const SAID = {
  order: ["number", "expected", "expected_on"],
  customer: ["name"],
  product: ["name"],
  callback: ["reference"],
  receipt: ["reference", "action", "subject", "at", "effect"],
  proposal: ["effect", "question", "amount", "amount_cents"],
};

/** What a card's data holds, by shape: single values as a list, lines and steps as they are. */
function values(kind, data) {
  const currency = data.currency ?? "USD";
  const shown = Object.entries(data).filter(([name, value]) => !SAID[kind]?.includes(name) && worth(name, value, data));
  const single = shown.filter(([, value]) => isSingle(value));
  const whole = [];
  if (single.length) {
    whole.push(el("dl", {}, ...single.flatMap(([name, value]) => row(name, value, currency))));
  }
  for (const [name, value] of shown) {
    if (isSingle(value)) continue;
    if (!Array.isArray(value)) whole.push(...group(name, value, currency));
    else if (name === "timeline") whole.push(timeline(value, data));
    else whole.push(...lines(name, value, currency));
  }
  return whole;
}

/** Whether a value is for people: not empty, no machine's name, not the text twin of an amount. */
function worth(name, value, data) {
  const machine = ["id", "kind", "currency", "options"].includes(name) || name.endsWith("_id");
  return !machine && !isEmpty(value) && !(`${name}_cents` in data);
}

/** One value, or a few of them that fit on one line. */
function isSingle(value) {
  return typeof value !== "object" || (Array.isArray(value) && value.every((item) => typeof item !== "object"));
}

function row(name, value, currency) {
  return [el("dt", {}, labelled(name)), el("dd", {}, valued(name, value, currency))];
}

function group(name, value, currency) {
  const rows = Object.entries(value).filter(([key, item]) => worth(key, item, value) && typeof item !== "object");
  if (rows.length === 0) return [];
  const list = el("dl", {}, ...rows.flatMap(([key, item]) => row(key, item, currency)));
  return [el("p", { class: "hl-group" }, labelled(name)), list];
}

function timeline(steps, { expected_on: expected, status }) {
  const items = steps.map(({ text = "", at = "" }) => step(text, at, true));
  const open = !["delivered", "cancelled", "returned"].includes(status);
  if (expected && open) items.push(step(words.expected, expected, false));
  return el("ol", { class: "hl-timeline" }, ...items);
}

function step(text, at, done) {
  const when = at ? el("time", { datetime: at }, moment(at)) : null;
  return el("li", { "data-done": done ? "yes" : "no" }, el("span", {}, happened(String(text))), when);
}

/** "Cancelled: no longer needed" is the event and what the shop wrote of it. */
function happened(text) {
  const [event, ...more] = text.split(": ");
  const known = words.events[event];
  return known ? [known, ...more].join("：") : sentence(text);
}

function lines(name, items, currency) {
  const rows = items.map((item) => el("li", {}, ...line(item, currency)));
  return [el("p", { class: "hl-group" }, labelled(name)), el("ul", { class: "hl-lines" }, ...rows)];
}

function line(item, currency) {
  if (typeof item !== "object" || item === null) return [el("span", {}, String(item))];
  const { name, variant, number, quantity, price_cents, total_cents, status, in_stock, ...rest } = item;
  const main = name ?? variant ?? (number ? `${words.kinds.order} ${number}` : "");
  const cents = price_cents ?? total_cents;
  const notes = Object.entries(rest)
    .filter(([key, value]) => worth(key, value, item))
    .map(([key, value]) => noted(key, value, currency));
  if (name && variant) notes.unshift(variant);
  if (in_stock === false) notes.push(words.soldOut);
  const about = notes.length ? el("small", {}, notes.join(" · ")) : null;
  return [
    el("span", {}, el("strong", {}, quantity > 1 ? `${main} × ${quantity}` : main), about),
    status ? el("span", { class: "hl-badge", "data-status": status }, words.statuses[status] ?? sentence(status)) : null,
    cents === undefined ? null : el("span", { class: "hl-amount" }, money(cents, currency)),
  ];
}

function noted(key, value, currency) {
  if (Array.isArray(value)) return value.map((item) => noted(key, item, currency)).join(", ");
  if (typeof value === "object") return Object.values(value).filter((item) => typeof item !== "object").join(", ");
  return valued(key, value, currency);
}

function valued(name, value, currency) {
  if (Array.isArray(value)) return value.join(", ");
  if (name.endsWith("_cents") && typeof value === "number") return money(value, currency);
  if (typeof value === "boolean") return value ? words.yes : words.no;
  return typeof value === "string" && /^\d{4}-\d{2}-\d{2}([T ]|$)/.test(value) ? moment(value) : String(value);
}

function labelled(name) {
  return words.labels[name] ?? sentence(name.replace(/_(cents|at|on)$/, "").replaceAll("_", " "));
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function money(cents, currency) {
  try {
    return new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(cents / 100);
  } catch {
    return `${(cents / 100).toFixed(2)} ${currency}`; // A currency that no browser knows.
  }
}

function moment(text) {
  // A day alone is that day everywhere; read as a time it would be UTC's, and yesterday in the west.
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const when = new Date(day ? `${text}T00:00` : text);
  if (Number.isNaN(when.getTime())) return text;
  const style = day ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(document.documentElement.lang, style).format(when);
}

function isEmpty(value) {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}
