"""Mails that come back: fetched, read within limits, and the rules that follow from them."""
