// What Chainlit's bundle expects to find on the window before it starts. A file, not an inline script:
// the page's policy allows none.
globalThis.global = globalThis;
globalThis.transports = ["websocket"];
// The company's own accent, for the light page and the dark one.
const accents = document.querySelector('meta[name="hl-accent"]')?.content.split("|") ?? ["217 84% 40%", "213 94% 70%"];
globalThis.theme = {
  light: {
    "--background": "0 0% 100%",
    "--foreground": "222 30% 14%",
    "--card": "0 0% 100%",
    "--muted": "220 20% 93%",
    "--muted-foreground": "220 12% 38%",
    "--accent": "220 24% 96%",
    "--border": "220 16% 88%",
    "--input": "220 16% 88%",
    "--primary": accents[0],
    "--primary-foreground": "0 0% 100%",
    "--ring": accents[0],
    "--font-sans": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  },
  dark: {
    "--background": "222 22% 11%",
    "--foreground": "220 20% 93%",
    "--card": "222 20% 15%",
    "--muted": "222 16% 22%",
    "--muted-foreground": "220 12% 70%",
    "--accent": "222 18% 20%",
    "--border": "222 14% 26%",
    "--input": "222 14% 26%",
    "--primary": accents[1],
    "--primary-foreground": "222 40% 12%",
    "--ring": accents[1],
    "--font-sans": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  },
};
