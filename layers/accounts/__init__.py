"""Accounts, sign-in and sessions: what the database's login `door` keeps.

`records` are the accounts and what the security admin does with them, `sessions` who is signed in, `sign_in` how
somebody comes to be, `screens` how a wall is let in, `audit` what was done.
"""
