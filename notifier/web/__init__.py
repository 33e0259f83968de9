"""The web application: the pages behind the links in mails, sign-up, the archive and its feeds.

Owns everything about HTTP (status, header, form). A GET never changes anything.
"""
