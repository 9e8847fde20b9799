"""Commands beside serving: accounts, audit, check, certificate."""
