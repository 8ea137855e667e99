"""What generators take for an answer."""

from captchad.training.pictures.acceptance import is_right


def test_a_space_counts_where_the_picture_has_one() -> None:
    assert is_right("groups", "stone table", " stone  table")
    assert not is_right("groups", "stone table", "stonetable")


def test_what_an_engine_spaces_out_is_right_where_there_is_none() -> None:
    assert is_right("captcha", "7KM4", "7K M4")
    assert is_right("svg-captcha-sum", "3 + 4 = ?", "3+4")
