"""The passphrase of a backup's secrets: from a file, the environment or the terminal, never from the command line."""

import os
import sys
from pathlib import Path

import click

VARIABLE = "CAPTCHAD_BACKUP_PASSPHRASE"
LEAST_CHARACTERS = 8
LONGEST_BYTES = 4096

passphrase_file_option = click.option(
    "--passphrase-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"Read the passphrase of the secrets from FILE.  [default: {VARIABLE}, else it is asked for]",
)


def ask_new_passphrase(file: Path | None) -> str:
    """Return the passphrase for new secrets; wrong usage where there is none, or a short one."""
    given = _find_given(file)
    if given is None and not sys.stdin.isatty():
        raise click.UsageError(f"--with-secrets needs a passphrase: set {VARIABLE} or give --passphrase-file")
    passphrase = given or click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    if len(passphrase) < LEAST_CHARACTERS:
        raise click.UsageError(f"the passphrase must have at least {LEAST_CHARACTERS} characters")
    return str(passphrase)


def ask_passphrase(file: Path | None) -> str | None:
    """Return the passphrase of a backup's secrets; None where nobody gives one."""
    given = _find_given(file)
    if given is not None or not sys.stdin.isatty():
        return given
    answer = click.prompt(
        "Passphrase of the backup's secrets (empty: leave them sealed)",
        hide_input=True,
        default="",
        show_default=False,
        err=True,
    )
    return answer or None


def _find_given(file: Path | None) -> str | None:
    if file is not None:
        return _read(file)
    return os.environ.get(VARIABLE) or None


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            passphrase = stream.read(LONGEST_BYTES + 1).decode().rstrip("\r\n")
    except OSError as error:
        raise click.UsageError(f"{file} can't be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise click.UsageError(f"{file} is no text: write the passphrase into it as one line of UTF-8") from None
    if len(passphrase.encode()) > LONGEST_BYTES:
        raise click.UsageError(f"{file} is too long for a passphrase: at most {LONGEST_BYTES} bytes")
    if not passphrase:
        raise click.UsageError(f"{file} is empty: write the passphrase into it")
    return passphrase
