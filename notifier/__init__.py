"""Follows the news about one therapy and mails each subscriber a digest, once and on time."""

__version__ = "0.1.0"
