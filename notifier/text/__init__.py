"""Text from outside: cleaned and compared; its markup, its times, its URLs."""
