"""The parsers: bytes of a feed, a page, a list or a record in, observations out. Pure."""
