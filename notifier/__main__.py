"""The program `notifier`, also started by `python -m notifier`.

It imports little, so that `--version` is quick.
"""

import sys

from notifier import __version__


def main() -> None:
    """Run the command line and exit with its code, see `cli/main.py`."""
    if sys.argv[1:] == ["--version"]:
        print(f"notifier {__version__}")  # noqa: T201 - before `cli` is loaded
        return
    from notifier.cli import logs
    from notifier.cli.main import run

    logs.set_up()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
