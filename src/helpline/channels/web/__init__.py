"""The web channel: the desk on a page, through Chainlit. Nothing outside this folder knows Chainlit."""
