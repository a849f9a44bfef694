"""The record of each call: encrypted while it lives, redacted when it has ended, findable, forgettable."""
