"""The servers and programs that the bot speaks to in tests."""
