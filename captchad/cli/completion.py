"""Completion in bash, which hands `--role=ga` over as three words."""

from click.shell_completion import BashComplete, add_completion_class

EQUALS_SIGN = "="


class _SplitWordsComplete(BashComplete):
    """Completes the value after an equals sign as it does after a blank."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the one at it."""
        words, incomplete = super().get_completion_args()
        return [word for word in words if word != EQUALS_SIGN], incomplete


def complete_split_words() -> None:
    """Have click complete for bash in this way."""
    add_completion_class(_SplitWordsComplete)
