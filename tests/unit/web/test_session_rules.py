import base64
from typing import Any

import pytest

from captchad.domain.errors import InvalidRequest
from captchad.domain.page import Cookie, Fill, SessionState, StorageState
from captchad.web.api.validation import read_batch, read_task

PAGE = "http://captcha.example.com/"
COOKIE = {"name": "a", "value": "1", "domain": "a.org", "path": "/"}
PICTURE = base64.b64encode(b"GIF89a\x0a\x00\x0a\x00\x00\x00\x00").decode()


def find_faults(has_session_key: bool = True, **fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        read_task({"url": PAGE} | fields, has_session_key)
    return {violation.pointer: violation.message for violation in caught.value.violations}


def test_a_session_and_a_form_become_values() -> None:
    draft = read_task(
        {
            "url": PAGE,
            "session": {
                "cookies": [
                    {"name": "sid", "value": "1"},
                    {
                        "name": "b",
                        "value": "",
                        "domain": "captcha.example.com",
                        "path": "/x",
                        "expires": 2_000_000_000,
                        "http_only": True,
                        "secure": True,
                        "same_site": "None",
                    },
                ],
                "headers": {"Authorization": "Bearer t", "X-Real-Thing": "1"},
                "local_storage": {"theme": "dark", "": "nameless"},
            },
            "fill": {
                "input": "#code",
                "submit": "button[type=submit]",
                "success": "url:**/welcome",
                "failure": "text:wrong code",
                "refresh": "a.refresh",
            },
            "return_session": True,
            "evidence": True,
        }
    )
    assert draft.session == SessionState(
        (
            Cookie("sid", "1"),
            Cookie("b", "", "captcha.example.com", "/x", 2_000_000_000, True, True, "None"),
        ),
        {"Authorization": "Bearer t", "X-Real-Thing": "1"},
        {"theme": "dark", "": "nameless"},
    )
    assert draft.fill == Fill("#code", "button[type=submit]", "url:**/welcome", "text:wrong code", "a.refresh")
    assert (draft.return_session, draft.evidence) == (True, True)


@pytest.mark.parametrize(
    "name",
    [
        "User-Agent",
        "HOST",
        "cookie",
        "Proxy-Authorization",
        "proxy-connection",
        "X-Forwarded-For",
        "x-forwarded-anything",
        "Forwarded",
        "Sec-Fetch-Site",
        "sec-ch-ua",
        "Connection",
        "Keep-Alive",
        "Content-Length",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Upgrade",
        "X-Forwarded",
        "Forwarded-For",
        "X-Original-Forwarded-For",
        "X-Real-IP",
        "X_Real_IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "cf-connecting-ipv6",
        "X-Client-IP",
        "Client-IP",
        "X-Cluster-Client-IP",
        "Fastly-Client-IP",
        "X-Azure-SocketIP",
        "X-Originating-IP",
        "X-Remote-Addr",
        "X-ProxyUser-Ip",
        "X-Envoy-External-Address",
        "X-Coming-From",
        "Coming-From",
        "X-Host",
        "X-HTTP-Host-Override",
        "X-Original-URL",
    ],
)
def test_headers_that_are_not_the_callers_are_refused_each_by_its_pointer(name: str) -> None:
    faults = find_faults(session={"headers": {"X-Fine": "1", name: "x"}})
    assert faults.keys() == {f"/session/headers/{name}"}
    assert "may not be set" in faults[f"/session/headers/{name}"]


def test_a_header_given_twice_or_of_wrong_letters_is_refused() -> None:
    assert find_faults(session={"headers": {"X-A": "1", "x-a": "2"}}).keys() == {"/session/headers/x-a"}
    assert find_faults(session={"headers": {"X A": "1"}}).keys() == {"/session/headers/X A"}
    assert find_faults(session={"headers": {"X-A": "ü"}}).keys() == {"/session/headers/X-A"}
    assert find_faults(session={"headers": {"X-A": "1\r\nX-B: 2"}}).keys() == {"/session/headers/X-A"}


@pytest.mark.parametrize(
    "name",
    ["X-Client", "X-Client-Id", "X-User", "X-Real-Thing", "X-Tenant", "X-Zip", "Origin", "X-Source", "Tip"],
)
def test_a_header_that_only_sounds_like_the_callers_address_may_be_set(name: str) -> None:
    assert read_task({"url": PAGE, "session": {"headers": {name: "x"}}}).session == SessionState((), {name: "x"}, {})


@pytest.mark.parametrize(
    ("cookie", "name"),
    [
        ({"name": "a;b", "value": ""}, "name"),
        ({"name": "a", "value": "b; Path=/"}, "value"),
        ({"name": "a", "value": "b" * 4096}, "value"),
        ({"name": "a", "value": "b", "path": "x"}, "path"),
        ({"name": "a", "value": "b", "expires": -1}, "expires"),
        ({"name": "a", "value": "b", "expires": 1e12}, "expires"),
        ({"name": "a", "value": "b", "same_site": "None"}, "same_site"),
        ({"name": "__Secure-a", "value": "b"}, "secure"),
        ({"name": "__Host-a", "value": "b", "secure": True, "domain": "captcha.example.com"}, "name"),
        ({"name": "a", "value": "b", "domain": None}, "domain"),
    ],
)
def test_a_cookie_no_browser_would_take_is_refused(cookie: dict[str, Any], name: str) -> None:
    faults = find_faults(session={"cookies": [{"name": "fine", "value": "1"}, cookie]})
    assert faults.keys() == {f"/session/cookies/1/{name}"}


@pytest.mark.parametrize("name", ["selector", "input", "submit", "refresh", "success", "failure"])
@pytest.mark.parametrize(
    "text", ["xpath=//img", "//img", "form >> img", "internal:role=button", "img:visible", "text=x"]
)
def test_elements_are_named_by_css_alone(name: str, text: str) -> None:
    if name == "selector":
        assert find_faults(selector=text).keys() == {"/selector"}
    else:
        assert find_faults(fill={"input": "#a"} | {name: text}).keys() == {f"/fill/{name}"}


@pytest.mark.parametrize("condition", [".welcome", "url:*/home?*", "text:Welcome >> back", "text://not an engine"])
def test_success_and_failure_may_be_a_place_or_a_text(condition: str) -> None:
    draft = read_task({"url": PAGE, "fill": {"input": "#a", "success": condition, "failure": condition}})
    assert draft.fill == Fill("#a", success=condition, failure=condition)


@pytest.mark.parametrize("condition", ["url:", "text:  ", "text:a\nb", "url:\x00"])
def test_an_empty_condition_is_refused(condition: str) -> None:
    assert find_faults(fill={"input": "#a", "success": condition}).keys() == {"/fill/success"}


def test_a_picture_has_no_page_to_fill_or_to_bring_a_session_to() -> None:
    faults = find_picture_faults(session={}, fill={"input": "#a"}, return_session=True, selector="img")
    assert faults == {"/session", "/fill", "/return_session", "/selector"}


def find_picture_faults(**fields: Any) -> set[str]:
    with pytest.raises(InvalidRequest) as caught:
        read_task({"image": PICTURE, "target": "captcha.example.com"} | fields)
    return {violation.pointer for violation in caught.value.violations}


def test_without_a_session_key_sessions_are_refused_and_the_setting_is_named() -> None:
    faults = find_faults(has_session_key=False, session={}, return_session=True, evidence=True)
    assert faults.keys() == {"/session", "/return_session"}
    assert all("security.session_key" in message for message in faults.values())
    assert not read_task({"url": PAGE, "return_session": False, "fill": {"input": "#a"}}, False).return_session


def test_faults_in_a_batch_name_their_task() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_batch({"tasks": [{"url": PAGE}, {"url": PAGE, "session": {"headers": {"Host": "a"}}}]})
    assert [violation.pointer for violation in caught.value.violations] == ["/tasks/1/session/headers/Host"]


def test_a_storage_state_becomes_values() -> None:
    cookie = {"name": "a", "value": "1", "domain": ".a.org", "path": "/", "expires": -1, "httpOnly": True}
    framed = {**cookie, "partitionKey": "https://b.org", "_crHasCrossSiteAncestor": True, "domain": "f.org"}
    origins = [{"origin": "https://a.org", "localStorage": [{"name": "theme", "value": "dark"}]}]
    state = {"cookies": [{**cookie, "secure": True, "sameSite": "None"}, framed], "origins": origins}
    draft = read_task({"url": PAGE, "session": {"storage_state": state}})
    assert draft.storage_state == StorageState(
        (Cookie("a", "1", ".a.org", "/", -1, True, True, "None"),), ("f.org",), {"https://a.org": {"theme": "dark"}}
    )


@pytest.mark.parametrize(
    ("state", "pointer"),
    [
        ({"cookies": []}, "/origins"),
        ({"cookies": [{"name": "a", "value": "1", "path": "/"}], "origins": []}, "/cookies/0/domain"),
        ({"cookies": [COOKIE | {"same_site": "Lax"}], "origins": []}, "/cookies/0/same_site"),
        ({"cookies": [COOKIE | {"sameSite": "lax"}], "origins": []}, "/cookies/0/sameSite"),
        ({"cookies": [COOKIE | {"sameSite": None}], "origins": []}, "/cookies/0/sameSite"),
        ({"cookies": [COOKIE | {"value": "1" * 4096}], "origins": []}, "/cookies/0/value"),
        ({"cookies": [COOKIE | {"name": "__Secure-a"}], "origins": []}, "/cookies/0/secure"),
        ({"cookies": [], "origins": [{"origin": "https://a.org", "indexedDB": []}]}, "/origins/0/indexedDB"),
        (
            {"cookies": [], "origins": [{"origin": "x", "localStorage": [{"name": "a"}]}]},
            "/origins/0/localStorage/0/value",
        ),
    ],
)
def test_a_fault_of_a_storage_state_is_named_by_its_place(state: dict[str, Any], pointer: str) -> None:
    assert f"/session/storage_state{pointer}" in find_faults(session={"storage_state": state})


def test_a_storage_state_needs_the_session_key() -> None:
    assert find_faults(has_session_key=False, session={"storage_state": {"cookies": [], "origins": []}}) == {
        "/session": "needs security.session_key, which is not set: without it captchad keeps no secrets"
    }
