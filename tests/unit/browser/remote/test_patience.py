from captchad.browser.remote.patience import LONGEST_SECONDS, REMEMBERED_ANSWERS, SHORTEST_SECONDS, Patience


def test_where_answers_are_quick_a_silence_is_noticed_soon() -> None:
    patience = Patience()
    assert patience.limit_seconds == SHORTEST_SECONDS
    patience.learn(0.01)
    assert patience.limit_seconds == SHORTEST_SECONDS


def test_where_answers_are_slow_more_time_is_given_but_not_for_ever() -> None:
    patience = Patience()
    patience.learn(3.0)
    assert patience.limit_seconds == 12.0
    patience.learn(60.0)
    assert patience.limit_seconds == LONGEST_SECONDS


def test_a_slow_time_is_forgotten_once_it_is_over() -> None:
    patience = Patience()
    patience.learn(3.0)
    for _ in range(REMEMBERED_ANSWERS):
        patience.learn(0.01)
    assert patience.limit_seconds == SHORTEST_SECONDS
