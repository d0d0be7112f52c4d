"""GitHub, spoken to as an App."""
