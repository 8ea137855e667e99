from captchad.domain.page import Cookie, Fill, FormField, SessionState, Step, list_secret_values


def test_secret_is_what_is_typed_and_what_of_the_session_is_no_mere_setting() -> None:
    session = SessionState(
        (Cookie("sid", "cookie-value"), Cookie("lang", "en")),
        {"Authorization": "Bearer a-long-token"},
        {"theme": "dark"},
    )
    fill = Fill("#code", fields=(FormField("#pin", value="77"), FormField("#agree", check=True)))
    assert list_secret_values(session, (Step("type", "#user", "anna"), Step("click", "#go")), fill) == (
        *("anna", "77"),
        *("cookie-value", "Bearer a-long-token", "a-long-token"),
    )
    assert list_secret_values(None, (), None) == ()
