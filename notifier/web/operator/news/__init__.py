"""News: articles with their states, matches, and what waits to be released, dismissed or sent."""
