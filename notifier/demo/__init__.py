"""The demo: a week of made-up news, with a news site and a mail server on loopback."""
