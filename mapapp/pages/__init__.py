"""Pages: what a situation looks like, as Dash components; pure functions."""
