"""How the map looks: styles and figures as plain data, made by pure functions."""
