// The customer has signed in elsewhere: every tab of this browser is asked for again, and this one becomes the page.
new BroadcastChannel("helpline").postMessage("changed");
window.location.replace(new URL("../", import.meta.url));
