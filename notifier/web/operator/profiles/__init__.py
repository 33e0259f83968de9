"""Profiles: what a therapy is matched by, edited with an estimate, with history and trials."""
