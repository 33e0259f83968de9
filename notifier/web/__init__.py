"""The web application: the pages that links in mails lead to.

Owns HTTP's words (status, header, form). A GET never changes anything.
"""
