import pytest

from captchad.cli.printing import show_confidence


@pytest.mark.parametrize(
    ("confidence", "shown"),
    [(0.9956, "0.99"), (0.999999, "0.99"), (0.29, "0.29"), (0.58, "0.58"), (0.9, "0.90"), (1.0, "1.00"), (0.0, "0.00")],
)
def test_a_confidence_is_never_rounded_up(confidence: float, shown: str) -> None:
    assert show_confidence(confidence) == shown


def test_no_confidence_is_not_shown() -> None:
    assert show_confidence(None) is None
