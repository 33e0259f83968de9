"""Commands that run in the process of the test, on the database of an installation."""

from click.testing import Result
from typer.testing import CliRunner

from notifier.cli.main import app
from tests.support.installation import MONDAY, SUPPRESSION_KEY, Installation


def run_command(installation: Installation, *arguments: str) -> Result:
    """Run a command on the installation's database; return exit code and output."""
    deps = installation.at(MONDAY)
    environment = {
        "NOTIFIER_DATABASE_URL": deps.engine.url.render_as_string(hide_password=False),
        "NOTIFIER_SUPPRESSION_KEY": SUPPRESSION_KEY,
        "NOTIFIER_SECRET_KEY": deps.settings.secret_key,
    }
    return CliRunner().invoke(app, arguments, env=environment)
