"""notifier follows the news about one therapy and mails each subscriber a digest, once, on time, with reasons."""

__version__ = "0.1.0"
