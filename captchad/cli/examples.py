"""`captchad config example`: the example files that travel with captchad."""

import click

from captchad.cli.options import json_option
from captchad.cli.printing import print_json, print_table, say
from captchad.deployment.examples import EXAMPLES


@click.command()
@click.argument("name", required=False, type=click.Choice(tuple(EXAMPLES)), metavar="[NAME]")
@json_option
def example(name: str | None, is_json: bool) -> None:
    """Print the example file NAME; without a name, list them all."""
    if name is not None:
        chosen = EXAMPLES[name]
        if is_json:
            print_json({"name": name, "file": chosen.file, "purpose": chosen.purpose, "text": chosen.read()})
            return
        for line in chosen.read().splitlines():
            say(line)
        return
    if is_json:
        print_json([{"name": name, "file": one.file, "purpose": one.purpose} for name, one in EXAMPLES.items()])
        return
    rows = ((name, one.file, one.purpose) for name, one in EXAMPLES.items())
    print_table(("NAME", "FILE", "FOR"), rows, "", whole=("NAME", "FILE"))
