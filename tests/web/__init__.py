"""The web channel, tested against its seam: a scripted desk on one side, pages on the other."""
