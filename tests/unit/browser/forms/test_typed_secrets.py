from captchad.browser.forms.typed_secrets import hide_typed

PASSWORD = "Pass word/77"


def test_a_value_is_hidden_in_texts_and_addresses_alike() -> None:
    for said in (PASSWORD, PASSWORD.upper(), "Pass%20word%2F77", "Pass%20word/77", "Pass+word%2F77"):
        assert hide_typed(f"it says {said}!", [PASSWORD]) == "it says [typed]!"


def test_white_space_is_as_the_page_shows_it() -> None:
    assert hide_typed("Pass word/77", ["Pass \n  word/77"]) == "[typed]"


def test_the_beginning_of_a_value_is_hidden_where_the_text_was_cut() -> None:
    assert hide_typed('covered by p "You are Pass wo"; Pass', [PASSWORD]) == 'covered by p "You are [typed]"; [typed]'
    assert hide_typed("img [captcha Pass w]: 5", [PASSWORD]) == "img [captcha [typed]]: 5"


def test_short_values_are_hidden_as_words_alone() -> None:
    assert hide_typed("a captcha of 7 and 77", ["a", "7", " "]) == "[typed] captcha of [typed] and 77"


def test_nothing_is_hidden_where_nothing_was_typed() -> None:
    assert hide_typed("#send is covered by p", []) == "#send is covered by p"
