"""Each case was compared with what systemd 252 gives to a unit."""

import pytest

from captchad.deployment.systemd.environment_file import parse_environment_file


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("A=plain\nB=second\n", {"A": "plain", "B": "second"}),
        ("# A=1\n; B=2\n\nnothing\n  C = spaced value  \n", {"C": "spaced value"}),
        ('A="quoted \\"x\\" $HOME \\n end"\n', {"A": 'quoted "x" $HOME \\n end'}),
        ("A='single \\n \"q\" '\n", {"A": 'single \\n "q" '}),
        ("A=with\\ escape \\x\n", {"A": "with escape x"}),
        ("A=a\"b c\"d'e f'\n", {"A": "a\"b c\"d'e f'"}),
        ("A=cont\\\ninued\nB=1\n", {"A": "continued", "B": "1"}),
        ('A="two\nlines"\nB=1\n', {"A": "two\nlines", "B": "1"}),
        ('A="never closed\nB=1', {"A": "never closed\nB=1"}),
        ("export A=1\n1A=1\nA=\n", {"A": ""}),
        ("A=a#b ; c\nA=last\n", {"A": "last"}),
        ("", {}),
    ],
)
def test_a_file_is_read_as_systemd_reads_it(text: str, variables: dict[str, str]) -> None:
    assert parse_environment_file(text) == variables
