"""The conversation with a mail server: the protocol, the connections, and mails that are made ahead."""
