// Who the customer is: signing in and out, and their past conversations. Signing in posts to the desk, which
// answers with a cookie that no script can read; the page is then asked for again and finds its call.
import { el, icon } from "./dom.js";
import { tellDesk } from "./mailbox.js";
import { words } from "./words.js";

const tabs = new BroadcastChannel("helpline");
const label = el("span", {}, words.signIn);
const opened = { signedIn: false };

/** The button in the bar, hidden at a desk where nobody signs in. */
export const account = el(
  "button",
  { class: "hl-person hl-account", type: "button", "aria-haspopup": "dialog", hidden: "" },
  icon("M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8a7 7 0 0 1 14 0"),
  label,
);

const wrong = el("p", { class: "hl-wrong", role: "alert", id: "hl-wrong" });
const name = el("input", { name: "username", type: "text", autocomplete: "username", maxlength: "200", required: "" });
const password = el("input", { name: "password", type: "password", autocomplete: "current-password", maxlength: "200", required: "" });
const enter = el("button", { class: "hl-primary", type: "submit" }, words.signIn);
const form = el(
  "form",
  {},
  el("label", {}, words.userName, name),
  el("label", {}, words.password, password),
  wrong,
  el("div", { class: "hl-buttons" }, el("button", { type: "button", onclick: () => signing.close() }, words.cancel), enter),
);
const elsewhere = el("div", { class: "hl-providers" });
const alone = el("div", { class: "hl-buttons" }, el("button", { type: "button", onclick: () => signing.close() }, words.cancel));
const signing = dialog(words.signIn, elsewhere, form, alone);

const list = el("ul", { class: "hl-history" });
const kept = el("p", { class: "hl-kept" });
const leave = el("button", { class: "hl-sign-out", type: "button" }, words.signOut);
const whose = el("p", { class: "hl-whose" });
const past = dialog(
  words.history,
  whose,
  list,
  kept,
  el("div", { class: "hl-buttons" }, leave, el("button", { type: "button", class: "hl-primary", onclick: () => past.close() }, words.close)),
);

document.addEventListener("DOMContentLoaded", () => document.body.append(signing, past));
tabs.addEventListener("message", () => window.location.reload());
leave.addEventListener("click", async () => {
  leave.disabled = true;
  await post("sign-out", {}).catch(() => null);
  again();
});
account.addEventListener("click", () => {
  if (opened.signedIn) {
    list.replaceChildren();
    kept.textContent = "";
    past.showModal();
    tellDesk("history");
  } else {
    wrong.textContent = "";
    signing.showModal();
    (form.hidden ? elsewhere.querySelector("button") : name).focus();
  }
});
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  enter.disabled = true;
  wrong.textContent = "";
  const answer = await post("sign-in", { name: name.value, password: password.value }).catch(() => null);
  enter.disabled = false;
  password.value = "";
  if (answer?.status === 204) {
    again();
    return;
  }
  const said = answer && answer.status !== 401 ? (await answer.json().catch(() => ({}))).detail : "";
  wrong.textContent = answer?.status === 401 ? words.signInWrong : said || words.signInFailed;
  password.focus();
});

/** How one can sign in here (by name and password, with an account elsewhere), and who has. */
export function showAccount(byPassword, providers, who) {
  const signsIn = byPassword || providers.length > 0;
  form.hidden = !byPassword;
  alone.hidden = byPassword;
  elsewhere.replaceChildren(
    ...providers.map(({ id, name: provider }) => {
      const button = el("button", { type: "button" }, words.signInWith(provider));
      button.addEventListener("click", () => window.location.assign(path(`sign-in/${id}`)));
      return button;
    }),
  );
  opened.signedIn = who !== "";
  account.hidden = !signsIn && !opened.signedIn;
  label.textContent = who || words.signIn;
  account.setAttribute("aria-label", who ? `${words.account}: ${who}` : words.signIn);
  account.title = who ? words.account : words.signIn;
  whose.textContent = who ? `${words.signedInAs} ${who}` : "";
  leave.hidden = !signsIn;
}

/** The past conversations, which a press opens. */
export function showHistory({ conversations, days }) {
  const when = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  list.replaceChildren(
    ...conversations.map(({ id, at, title, references }) => {
      const time = el("time", { datetime: at }, when.format(new Date(at)));
      const more = references.length ? el("span", { class: "hl-done" }, references.join(", ")) : null;
      const open = el("button", { type: "button" }, el("span", { class: "hl-title" }, title), el("span", { class: "hl-when" }, time, more));
      open.addEventListener("click", () => {
        tellDesk("past", { id });
        past.close();
      });
      return el("li", {}, open);
    }),
  );
  kept.textContent = conversations.length ? words.historyKept(days) : words.historyNone;
  list.querySelector("button")?.focus();
}

// Below where the page is mounted; where this script itself is served from changes with its version.
function path(to) {
  return `${document.querySelector('meta[property="og:root_path"]').content}/${to}`;
}

function post(to, body) {
  return fetch(path(to), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

// Every tab of this browser shows what the customer of before may see: all are asked for again.
function again() {
  tabs.postMessage("changed");
  window.location.reload();
}

function dialog(title, ...children) {
  const heading = el("h2", {}, title);
  const box = el("dialog", { class: "hl-dialog", "aria-label": title }, heading, ...children);
  box.addEventListener("keydown", (event) => event.stopPropagation()); // P talks, elsewhere on the page
  return box;
}
