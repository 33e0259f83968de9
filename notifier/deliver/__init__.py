"""Delivery: a digest and a subscription become a message that a mail server accepted, once.

Owns messages, mail servers and their answers. How a digest is composed is `digest/`'s.
"""
