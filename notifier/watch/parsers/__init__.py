"""The parsers: octets of a feed, a page or a record in, observations out. Pure."""
