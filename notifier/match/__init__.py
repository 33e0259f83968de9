"""Matching: decide which revisions concern which profile, how much and why.

A revision × a profile becomes a match, with a tier, a score and the reasons in plain words. The
package knows terms and texts; it does not know how a text was fetched or who will read it. Every
rule and threshold is described in docs/matching.md, with the data it was checked on.
"""
