"""The examples under config/, changed for a test as their user would change them."""

from collections.abc import Mapping

from captchad.deployment.examples import EXAMPLES


def fit_example(name: str, changes: Mapping[str, str]) -> str:
    """Return an example's text with every text of `changes` replaced, each of which must be in it."""
    text = EXAMPLES[name].read()
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text
