import pytest

from captchad.browser.launch import driver


def test_a_driver_without_its_library_is_told_which_package_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "find_library", lambda name: None)
    reason = driver.explain_failed_start(Exception("Connection closed"))
    assert reason == "Connection closed; it needs libatomic1 (apt-get install libatomic1)"
    monkeypatch.setattr(driver, "find_library", lambda name: "libatomic.so.1")
    assert driver.explain_failed_start(TimeoutError()) == "no answer"
