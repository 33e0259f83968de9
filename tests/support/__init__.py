"""Helpers that several test modules use; it has no tests."""
