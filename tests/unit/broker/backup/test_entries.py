from hypothesis import given
from hypothesis import strategies as st

from captchad.broker.backup.entries import (
    Entry,
    Head,
    Listed,
    PlainKey,
    PlainType,
    Room,
    StreamedLabel,
    decode_entry,
    encode_entry,
)

FIELDS = st.dictionaries(st.binary(max_size=20), st.binary(max_size=200), max_size=8)
TIMES = st.none() | st.integers(0, 2**50)
PLACES = st.lists(st.binary(max_size=20), max_size=6).map(tuple)
PARTITIONS = st.integers(0, 255)
ENTRIES = (
    st.builds(Head, PARTITIONS, st.integers(0, 2**50), FIELDS)
    | st.builds(StreamedLabel, PARTITIONS, FIELDS)
    | st.builds(PlainKey, st.text(max_size=40), st.sampled_from(PlainType), TIMES, PLACES)
    | st.builds(
        Listed,
        PARTITIONS,
        st.sampled_from(Room),
        st.text(max_size=40),
        st.binary(max_size=20),
        TIMES,
        FIELDS,
        PLACES,
        st.text(max_size=64),
    )
)


@given(ENTRIES)
def test_an_entry_is_read_back_as_it_was(entry: Entry) -> None:
    assert decode_entry(encode_entry(entry)) == entry
