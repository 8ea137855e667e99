"""An evaluation's figures as rows of text, the same on a terminal and in the report."""

from captchad.domain.plain_text import escape_control_characters
from captchad.recognition.evaluation.evaluation import Accuracy, Cost, Evaluation
from captchad.recognition.evaluation.proportion import Proportion

Row = tuple[str, ...]

FIGURE_HEADINGS = ("figure", "value", "95 % interval")
COVERAGE_HEADINGS = ("confidence at least", "answered", "right of these", "95 % interval")
CONFUSION_HEADINGS = ("true", "read", "times")
NOTHING = "(nothing)"
UNKNOWN = "-"


def word_figures(evaluation: Evaluation) -> list[Row]:
    """Return the figures that are one number each; those by the rule that was asked for lead."""
    strict = _word_right(evaluation.case_counts, "")
    lenient = _word_right(evaluation.case_ignored, " but for case")
    first, second = (lenient, strict) if evaluation.is_case_ignored else (strict, lenient)
    rows: list[Row] = [
        ("engine", escape_control_characters(evaluation.recogniser), ""),
        ("pictures", str(evaluation.pictures), ""),
    ]
    if evaluation.refused:
        rows.append(("pictures that can't be decoded", str(evaluation.refused), ""))
    return [
        *rows,
        *(row for pair in zip(first, second, strict=True) for row in pair),
        ("expected calibration error", f"{evaluation.reliability.expected_error:.3f}", ""),
        ("CPU milliseconds a picture", _word_cost(evaluation.cpu), ""),
        ("milliseconds a picture", _word_cost(evaluation.wall), ""),
    ]


def word_coverage(evaluation: Evaluation) -> list[Row]:
    """Return accuracy by coverage."""
    return [
        (
            f"{level.threshold:.2f}",
            f"{level.covered:.1%}",
            *((UNKNOWN, "") if level.right is None else _word_proportion(level.right)),
        )
        for level in evaluation.coverage
    ]


def word_confusions(evaluation: Evaluation, limit: int) -> list[Row]:
    """Return the most frequent confusions."""
    return [
        (word_text(confusion.truth), word_text(confusion.read), str(confusion.count))
        for confusion in evaluation.confusions[:limit]
    ]


def word_text(text: str) -> str:
    """Return a text as it can be shown anywhere; an empty one by name."""
    return escape_control_characters(text) or NOTHING


def _word_right(accuracy: Accuracy, by: str) -> tuple[Row, Row]:
    return (
        (f"texts right{by}", *_word_proportion(accuracy.texts)),
        (f"characters right{by}", *_word_proportion(accuracy.characters)),
    )


def _word_proportion(proportion: Proportion) -> tuple[str, str]:
    return f"{proportion.share:.1%}", f"{proportion.low:.1%} to {proportion.high:.1%}"


def _word_cost(cost: Cost) -> str:
    return f"{cost.median_ms:.1f} (median), {cost.mean_ms:.1f} (mean)"
