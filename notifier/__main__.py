"""The entrance: `notifier` and `python -m notifier`. Kept light, because `--version` is asked by scripts."""

import sys

from notifier import __version__


def main() -> None:
    """Run the command line and leave with its exit code: 0 done, 1 a step failed, 2 usage or settings."""
    if sys.argv[1:] == ["--version"]:
        print(f"notifier {__version__}")  # noqa: T201 - the answer
        return
    from notifier.cli import logs
    from notifier.cli.main import run

    logs.set_up()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
