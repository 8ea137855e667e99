import pytest

from captchad.browser.browsers.connection import LaunchFailed
from captchad.browser.launch.executable import NOWHERE_FLAG, WEBRTC_FLAG, egress_flags
from captchad.browser.remote.inspection import judge_flags


def test_a_browser_with_webrtc_closed_and_its_sandbox_will_do() -> None:
    judge_flags(["chromium", WEBRTC_FLAG], "somewhere", must_have_sandbox=True)


def test_a_browser_that_lets_webrtc_out_is_refused_with_its_fix() -> None:
    with pytest.raises(LaunchFailed, match=f"start it with {WEBRTC_FLAG}"):
        judge_flags(["chromium"], "somewhere", must_have_sandbox=False)


def test_a_browser_without_its_sandbox_is_loud_and_refused_in_production(caplog: pytest.LogCaptureFixture) -> None:
    flags = ["chromium", WEBRTC_FLAG, "--no-sandbox"]
    judge_flags(flags, "somewhere", must_have_sandbox=False)
    assert "WITHOUT Chromium's sandbox" in caplog.text
    with pytest.raises(LaunchFailed, match="production"):
        judge_flags(flags, "somewhere", must_have_sandbox=True)


def test_no_name_but_the_proxys_is_resolved_by_the_browser() -> None:
    assert "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 10.0.0.9" in egress_flags("10.0.0.9")
    assert NOWHERE_FLAG.endswith("127.0.0.1:9")
