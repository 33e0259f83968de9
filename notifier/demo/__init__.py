"""The demo: the whole journey on one machine, with a made-up news site and a mail server on loopback."""
