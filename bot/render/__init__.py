"""Everything the bot says, as Markdown."""
