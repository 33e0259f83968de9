"""Names: the forms in which a text may write the name, code or trial of a profile.

Pure. Owns spellings, endings, slips of letters, and the names of other substances that must not be
taken for one of ours.
"""
