"""Sources: what is watched, its health and rhythm, adding, editing, pausing and reading now."""
