"""Mails as octets: the message, its header fields, and its signature."""
