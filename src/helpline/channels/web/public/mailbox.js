// Messages between this page and the desk. Chainlit forwards every message of the window to the server, and
// brings the server's as messages of the window: ours are marked with their direction. Whatever else arrives
// here (other windows, extensions, the desk's own coming back) is stopped before Chainlit sends it on.
const handlers = new Map();

/** Call `handler(message)` for each message of this type from the desk. */
export function onDesk(type, handler) {
  handlers.set(type, handler);
}

/** Tell the desk; the server checks every value again. */
export function tellDesk(type, values = {}) {
  window.postMessage({ helpline: "desk", type, ...values }, window.location.origin);
}

/** Listen; must be called before Chainlit's own listener is added. */
export function openMailbox() {
  window.addEventListener("message", (event) => {
    const ours = event.source === window && event.origin === window.location.origin;
    const direction = ours && event.data !== null && typeof event.data === "object" ? event.data.helpline : "";
    if (direction === "desk") return;
    event.stopImmediatePropagation();
    if (direction === "page") handlers.get(event.data.type)?.(event.data);
  });
}
