import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from captchad.broker.idempotency_keys import choose_partition
from captchad.intake.idempotency import digest_body, digest_key, make_idempotency

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
BODIES = st.dictionaries(st.text(max_size=5), JSON, max_size=5)


def reorder(value: Any) -> Any:
    """Return the same value with the names of every object in the opposite order."""
    if isinstance(value, dict):
        return {name: reorder(value[name]) for name in reversed(value)}
    return [reorder(inner) for inner in value] if isinstance(value, list) else value


@given(BODIES)
def test_order_of_names_and_spacing_make_no_difference(body: dict[str, Any]) -> None:
    assert digest_body(reorder(body)) == digest_body(body)
    assert digest_body(json.loads(json.dumps(body, indent=3))) == digest_body(body)


@given(BODIES, st.text(), JSON)
def test_another_meaning_is_another_digest(body: dict[str, Any], name: str, value: Any) -> None:
    if json.dumps(body.get(name, "absent")) != json.dumps(value) and body.get(name, object()) != value:
        assert digest_body(body | {name: value}) != digest_body(body)


def test_numbers_are_compared_by_value() -> None:
    assert digest_body({"timeout": 60}) == digest_body({"timeout": 60.0})
    assert digest_body({"timeout": 60}) != digest_body({"timeout": 60.5})
    assert digest_body({"timeout": 1}) != digest_body({"timeout": True})


@given(st.text(), st.integers(1, 256))
def test_a_key_always_belongs_to_the_same_partition(header: str, partitions: int) -> None:
    digest = digest_key(header, "id")
    assert 0 <= choose_partition(digest, partitions) < partitions
    assert choose_partition(digest, partitions) == choose_partition(digest_key(header, "id"), partitions)


def test_callers_and_places_in_a_batch_are_told_apart() -> None:
    assert digest_key("a", "1") != digest_key("a", "2") != digest_key("a", None)
    digests = {make_idempotency(digest_key("a", None), "body", index).key_digest for index in range(100)}
    assert len(digests) == 100
    assert digest_key("a", None) in digests, "the first of a batch and a single task meet"
