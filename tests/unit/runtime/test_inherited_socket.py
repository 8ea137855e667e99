"""A listening socket handed over as systemd does: at descriptor 3, told of in the environment."""

import os
import socket
import subprocess
import sys

SERVE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
from captchad.runtime.inherited_socket import take_inherited_socket
taken = take_inherited_socket()
assert taken is not None and not os.get_inheritable(taken.fileno())
assert take_inherited_socket() is None and "LISTEN_FDS" not in os.environ
taken.setblocking(True)
taken.accept()[0].sendall(b"here")
"""


def test_a_caller_that_came_before_the_process_is_served() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as caller,
        subprocess.Popen(
            [sys.executable, "-c", SERVE, str(listening.fileno())],
            env={**os.environ, "LISTEN_FDS": "1"},
            pass_fds=(listening.fileno(),),
        ) as child,
    ):
        caller.settimeout(60)
        assert caller.recv(16) == b"here"
    assert child.returncode == 0


def test_another_processs_variables_are_not_ours() -> None:
    asked = "from captchad.runtime.inherited_socket import take_inherited_socket; print(take_inherited_socket())"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "None\n"
