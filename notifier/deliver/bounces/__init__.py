"""Mails that came back: mailbox, limits for parsing, parser, proof, and the bounce policy."""
