"""Mails: a stored thing and a recipient in, a message out."""
