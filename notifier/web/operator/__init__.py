"""The operator pages under ``/operator/``: see, decide, send.

Owns log-in, the check of every form, and the pages; what they decide is done by `admin/`,
`pipeline/` and the stages, as for the command line. The pages work without scripts, are in English,
and do not exist while nobody may log in.
"""
