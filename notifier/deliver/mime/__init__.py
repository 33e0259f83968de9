"""Mails as bytes: the message, its header fields, and its signature."""
