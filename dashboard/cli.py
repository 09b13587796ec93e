"""The ``setpoint`` command line: options, commands, and one line for every error."""

from __future__ import annotations

import sys
import traceback
from importlib.metadata import version
from typing import Annotated

import typer

from dashboard import terminal
from dashboard.commands import author, benchmark, compare, learn, look, release, session, stress, sweeping
from dashboard.commands.stopping import Stopped
from plant_models.core.errors import SetpointError

INTERRUPTED, KEPT = 130, "interrupted; what was recorded is kept"
"""The exit code, which is all that typer leaves of an interrupt, and what is said then."""

app = typer.Typer(
    name="setpoint",
    help="Train controllers on simulated plants, compare them with a tuned PID, and watch the runs in a browser.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _tell_version(asked: bool) -> None:
    if asked:
        terminal.say(version("setpoint"))
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    store: Annotated[
        str, typer.Option(envvar="SETPOINT_STORE", help="Run store: a file or a database URL (default: the user's data folder).")
    ] = "",
    debug: Annotated[bool, typer.Option(help="Show a traceback where something goes wrong.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that every command shares."""
    context.obj = session.Session(store or None, debug)


app.command()(look.plants)
app.command()(author.new)
app.command()(author.check)
app.command()(compare.simulate)
app.command()(learn.tune)
app.command()(learn.train)
app.command()(sweeping.sweep)
app.command()(benchmark.benchmark)
app.command()(stress.stress)
app.command()(release.promote)
app.command()(release.rollback)
app.command()(release.champion)
app.command()(release.drift)
app.command()(look.runs)
app.command()(look.dashboard)
app.command()(compare.demo)


def main() -> None:
    """Run the command line: 0 done, 2 what was given cannot be used, 130 interrupted."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; none at all is a question for help."""
    try:
        code = typer.main.get_command(app).main(arguments or ["--help"], prog_name="setpoint", standalone_mode=False)
        return _refuse(KEPT, code=code) if code == INTERRUPTED else code if isinstance(code, int) else 0
    except typer.TyperException as error:
        return _refuse(error.format_message())
    except SetpointError as error:
        return _refuse(str(error), "--debug" in arguments, INTERRUPTED if isinstance(error, Stopped) else 2)
    except (KeyboardInterrupt, typer.Abort):
        return _refuse(KEPT, code=INTERRUPTED)
    except typer.Exit as ended:
        return ended.exit_code
    except Exception as error:  # noqa: BLE001
        return _refuse(f"{type(error).__name__}: {error} (run again with --debug for the traceback)", "--debug" in arguments, 1)


def _refuse(line: str, debug: bool = False, code: int = 2) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write("setpoint: " + " ".join(line.split()) + "\n")
    return code
