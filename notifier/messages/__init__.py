"""The mails: a stored digest or account event and a recipient become a message."""
