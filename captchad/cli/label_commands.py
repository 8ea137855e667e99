"""`captchad labels`: the label store of this machine, listed, exported, imported, reviewed and cleared."""

import getpass
import socket
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from captchad.cli.command_group import CommandGroup
from captchad.cli.labels import explain_refused_labels
from captchad.cli.operator_acts import note_done
from captchad.cli.options import config_option, json_option, load
from captchad.cli.printing import print_json, print_table, say
from captchad.cli.state_folder import find_state_directory
from captchad.config.loader import LoadedConfiguration
from captchad.deployment.ownership import handed_over
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.label import Label, Verdict
from captchad.domain.target import find_declared_target, normalise_pattern
from captchad.operations.labels.acts import LabelActs
from captchad.operations.labels.journal import Journal
from captchad.operations.labels.label_folder import read_review_folder, write_label_folder
from captchad.operations.labels.label_store import LABELS_FOLDER_NAME, LabelStore, open_label_store
from captchad.operations.labels.review_sheet import SHEET_FILE_NAME, build_review_sheet
from captchad.recognition.labelled import LABELS_FILE_NAME
from captchad.runtime.clock import Clock

DEFAULT_LIMIT = 50
_FIELDS = ("label_id", "host", "text", "verdict", "origin", "task_id", "at", "who")


def _spell_as_declared(ctx: click.Context, parameter: click.Parameter, host: str | None) -> str | None:
    """Return a host as the store spells it, whatever its case; what is no host has no labels."""
    try:
        return host if host is None else normalise_pattern(host)
    except TargetNotAllowed:
        return host


_folder_argument = click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)


@click.group(cls=CommandGroup)
def labels() -> None:
    """Show, export, import, review and delete labelled pictures.

    They lie in the state folder of the host that recognition.learner names; run this there.
    """


@labels.command("list")
@click.argument("host", required=False, callback=_spell_as_declared)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=DEFAULT_LIMIT,
    show_default=True,
    metavar="N",
    help="Of one target, show at most this many.",
)
@config_option
@json_option
def list_labels(host: str | None, limit: int, config_path: str | None, is_json: bool) -> None:
    """Show how many labels each target has, or the newest labels of HOST."""
    loaded = load(config_path)
    store = _open_store(loaded)
    if host is None:
        _list_targets(store, is_json)
        return
    newest = store.read(host)[::-1][:limit]
    if not newest:
        _refuse_undeclared(loaded, host)
    if is_json:
        print_json([_represent(label) for label in newest])
        return
    rows = ((one.label_id, one.at, one.text, one.verdict, one.origin, one.who) for one in newest)
    headings = ("LABEL", "AT", "TEXT", "VERDICT", "ORIGIN", "WHO")
    print_table(headings, rows, f"no labels of {host}", whole=("LABEL", "AT"))


@labels.command()
@click.argument("host", callback=_spell_as_declared)
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write, empty or not there yet.",
)
@config_option
@json_option
def export(host: str, out: Path, config_path: str | None, is_json: bool) -> None:
    """Write the pictures of HOST and their texts as a folder that train, evaluate and review read."""
    found = _open_store(load(config_path)).read(host)
    if not found:
        raise click.ClickException(f"there are no labels of {host}; see `captchad labels list`")
    try:
        done = write_label_folder(found, out)
    except OSError as error:
        raise click.ClickException(f"--out: {error.strerror or error}") from None
    if is_json:
        print_json({"host": host, "folder": str(out), **asdict(done)})
    else:
        say(f"{out} has {done.right} pictures with their texts, and {done.refused} whose answer was refused")


@labels.command("import")
@click.argument("host", callback=_spell_as_declared)
@_folder_argument
@config_option
@json_option
def import_labels(host: str, folder: Path, config_path: str | None, is_json: bool) -> None:
    """Add the labelled pictures in DIR to those of the declared target HOST.

    A picture that was exported corrects its own label. All of them are taken, or none.
    """
    loaded = load(config_path)
    try:
        declared = find_declared_target(loaded.configuration.security.declared_targets(), host).host
    except TargetNotAllowed as error:
        raise click.ClickException(error.message) from None
    with explain_refused_labels(), handed_over(find_state_directory(loaded.path)):
        done = _open_acts(loaded).import_folder(declared, folder)
    note_done(loaded, "labels_import", host=declared, **asdict(done))
    if is_json:
        print_json({"host": declared, **asdict(done)})
        return
    say(f"{declared}: {done.added} added, {done.corrected} corrected, {done.known} known already")
    if done.dropped:
        say(f"{done.dropped} pictures are larger than recognition.label_limit_bytes, and not kept", is_error=True)


@labels.command()
@_folder_argument
@json_option
def review(folder: Path, is_json: bool) -> None:
    """Write a page with every picture in DIR and its text in a field, to be corrected in a browser.

    Its button saves labels.tsv; put that into DIR in place of the old one, and import DIR.
    """
    with explain_refused_labels():
        pictures = read_review_folder(folder)
    sheet = folder / SHEET_FILE_NAME
    sheet.write_text(build_review_sheet(folder.resolve().name, pictures), encoding="utf-8")
    if is_json:
        print_json({"sheet": str(sheet), "pictures": len(pictures)})
    else:
        say(f"{sheet} has {len(pictures)} pictures; open it in a browser, and save {LABELS_FILE_NAME} beside it")


@labels.command()
@click.argument("host", required=False, callback=_spell_as_declared)
@click.option("--id", "label_ids", multiple=True, metavar="ID", help="Only this label; repeat for several.")
@config_option
@json_option
def delete(host: str | None, label_ids: Sequence[str], config_path: str | None, is_json: bool) -> None:
    """Delete every label of HOST, or those that --id names; there is no way back."""
    if (host is None) == (not label_ids):
        raise click.UsageError("give either a HOST or --id")
    loaded = load(config_path)
    acts = _open_acts(loaded)
    if host is not None and not _open_store(loaded).read(host):
        _refuse_undeclared(loaded, host)
    with handed_over(find_state_directory(loaded.path)):
        deleted = acts.delete_host(host) if host is not None else acts.delete(label_ids)
    if host is None and not deleted:
        raise click.ClickException(f"there is no label {' or '.join(label_ids)}; see `captchad labels list HOST`")
    of_what = {"labels": list(label_ids)} if host is None else {"host": host}
    note_done(loaded, "labels_delete", deleted=deleted, **of_what)
    print_json({"deleted": deleted}) if is_json else say(f"{deleted} deleted")


def _refuse_undeclared(loaded: LoadedConfiguration, host: str) -> None:
    """Refuse a host without labels that is no target either: one that was declared once may have some still."""
    try:
        find_declared_target(loaded.configuration.security.declared_targets(), host)
    except TargetNotAllowed as error:
        raise click.ClickException(f"there are no labels of {host}: {error.message}") from None


def _open_store(loaded: LoadedConfiguration) -> LabelStore:
    return open_label_store(find_state_directory(loaded.path), loaded.configuration.recognition, Clock())


def _open_acts(loaded: LoadedConfiguration) -> LabelActs:
    clock = Clock()
    journal = Journal(find_state_directory(loaded.path) / LABELS_FOLDER_NAME, clock)
    return LabelActs(_open_store(loaded), journal, f"{getpass.getuser()}@{socket.gethostname()}", clock)


def _list_targets(store: LabelStore, is_json: bool) -> None:
    summaries = [_summarise(host, store.read(host)) for host in store.hosts()]
    if is_json:
        print_json(summaries)
        return
    headings = ("HOST", "RIGHT", "WRONG", "OLDEST", "NEWEST")
    rows = ([summary[heading.lower()] for heading in headings] for summary in summaries)
    print_table(headings, rows, "no labels on this machine; see recognition.collect_labels and recognition.learner")


def _summarise(host: str, found: Sequence[Label]) -> dict[str, Any]:
    right = sum(label.verdict is Verdict.RIGHT for label in found)
    oldest, newest = (found[0].at, found[-1].at) if found else (None, None)
    return {"host": host, "right": right, "wrong": len(found) - right, "oldest": oldest, "newest": newest}


def _represent(label: Label) -> dict[str, Any]:
    return {name: getattr(label, name) for name in _FIELDS}
