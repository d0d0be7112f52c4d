"""Programs that travel to the machine: the standard library only, and nothing of the bot."""
