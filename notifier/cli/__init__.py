"""The command line: one file per command or group of commands, each command a few lines.

Owns the options, the output and the exit codes. Packages that take long to import are imported
inside the commands, so that `--help` is quick.
"""
