"""Storage: the database and its tables, keys of hashed addresses, files on disk."""
