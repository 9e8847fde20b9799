"""Declarations: TOML files read into frozen records, every problem reported at once."""
