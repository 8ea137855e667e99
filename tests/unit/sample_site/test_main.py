"""The sample site's own command line."""

import os
import socket

import pytest

from captchad.sample_site.__main__ import main


def test_a_taken_port_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        monkeypatch.setattr("sys.argv", ["captchad.sample_site", "--port", str(port)])
        with pytest.raises(SystemExit) as caught:
            main()
    message = str(caught.value.code)
    assert message.startswith(f"captchad: port {port} is taken by ")
    assert message.endswith(f"(process {os.getpid()}); choose another with --port")


def test_a_port_beyond_the_highest_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["captchad.sample_site", "--port", "65536"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "65536 is not between 0 and 65535" in capsys.readouterr().err
