from captchad.domain.hidden_values import NOTHING_HIDDEN, HiddenValues

PASSWORD = "Pass word/77"


def test_a_value_is_hidden_in_texts_and_addresses_alike() -> None:
    for said in (PASSWORD, PASSWORD.upper(), "Pass%20word%2F77", "Pass%20word/77", "Pass+word%2F77"):
        assert HiddenValues([PASSWORD]).hide(f"it says {said}!") == "it says [hidden]!"


def test_white_space_is_as_the_page_shows_it() -> None:
    assert HiddenValues(["Pass \n  word/77"]).hide("Pass word/77") == "[hidden]"


def test_the_beginning_of_a_value_is_hidden_where_the_text_was_cut() -> None:
    assert (
        HiddenValues([PASSWORD]).hide('covered by p "You are Pass wo"; Pass')
        == 'covered by p "You are [hidden]"; [hidden]'
    )
    assert HiddenValues([PASSWORD]).hide("img [captcha Pass w]: 5") == "img [captcha [hidden]]: 5"


def test_short_values_are_hidden_as_words_alone() -> None:
    assert HiddenValues(["a", "7", " "]).hide("a captcha of 7 and 77") == "[hidden] captcha of [hidden] and 77"


def test_nothing_is_hidden_where_nothing_is_secret() -> None:
    assert NOTHING_HIDDEN.hide("#send is covered by p") == "#send is covered by p"
