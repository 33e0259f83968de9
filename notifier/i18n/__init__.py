"""Texts in the reader's language: what the code marks as translatable, and the catalogues that translate it."""
