"""Outcomes as hypothesis draws them."""

from hypothesis import strategies as st

from captchad.recognition.evaluation.evaluated_picture import EvaluatedPicture

TEXTS = st.text("aAbB01é<", max_size=8)
OUTCOMES = st.builds(
    EvaluatedPicture,
    file=st.text(min_size=1, max_size=4),
    truth=TEXTS.filter(bool),
    text=TEXTS,
    confidence=st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0])),
    cpu_ms=st.floats(0, 1000),
    wall_ms=st.floats(0, 1000),
    problem=st.none(),
)
MANY = st.lists(OUTCOMES, min_size=1, max_size=60)


def make(
    truth: str, text: str, confidence: float = 0.5, file: str = "a.png", problem: str | None = None
) -> EvaluatedPicture:
    return EvaluatedPicture(file, truth, text, confidence, cpu_ms=1.0, wall_ms=2.0, problem=problem)
