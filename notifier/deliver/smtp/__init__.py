"""The SMTP client: the protocol, the connections, and messages that are prepared in advance."""
