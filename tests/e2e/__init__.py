"""The page in a real Chromium, with a microphone that plays what the synthesiser spoke."""
