"""`captchad config init`: the first configuration of an installation, commented."""

import os
from pathlib import Path

import click

from captchad.cli.options import json_option
from captchad.cli.printing import print_json, say
from captchad.config.loader import SEARCHED_PATHS
from captchad.deployment.examples import EXAMPLES
from captchad.domain.errors import ConfigurationError, ConfigurationProblem

FILE_MODE = 0o644
"""The user of systemd's units must be able to read it; passwords belong into the environment."""


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path), default=SEARCHED_PATHS[0])
@click.option("--prod", "is_production", is_flag=True, help="Start from what production asks for: keys, Redis by TLS.")
@click.option("--force", "is_forced", is_flag=True, help="Replace FILE where it is there already.")
@json_option
def init(file: Path, is_production: bool, is_forced: bool, is_json: bool) -> None:
    """Write a commented configuration to FILE, config/distributed.json by default."""
    write_configuration(file, "production" if is_production else "development", is_forced=is_forced)
    if is_json:
        print_json({"path": str(file), "environment": "prod" if is_production else "dev"})
        return
    say(f"{file}: written; edit it, then `captchad config check {file}`")


def write_configuration(file: Path, example: str, *, is_forced: bool = False) -> None:
    """Write an example where there is no file yet; ConfigurationError says why it could not be."""
    text = EXAMPLES[example].read().encode()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if is_forced:
            _replace(file, text)
            return
        _write(file, text)
    except FileExistsError:
        raise _refuse(file, "is there already; --force replaces it") from None
    except OSError as error:
        raise _refuse(file, f"can't be written: {(error.strerror or str(error)).lower()}") from error


def _replace(file: Path, text: bytes) -> None:
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        _write(beside, text)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _write(file: Path, text: bytes) -> None:
    """Write a file that must not exist; what could be written of it alone is taken away again."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(text)
    except OSError:
        file.unlink(missing_ok=True)
        raise


def _refuse(file: Path, reason: str) -> ConfigurationError:
    return ConfigurationError((ConfigurationProblem("", f"{file} {reason}"),))
