"""The door: one file a noun, each command a few lines.

Owns words and exit codes of the command line. Heavy rooms are imported inside the commands, so that
`--help` is quick.
"""
