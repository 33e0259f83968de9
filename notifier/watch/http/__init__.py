"""The HTTP client, its check of addresses, and the values it takes and returns."""
