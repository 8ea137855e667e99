"""The Python client of the gateway's HTTP API; needs nothing but the standard library.

from captchad.client import Captchad

print(Captchad().solve("http://127.0.0.1:8090/login").text)
"""

from captchad.client.async_client import AsyncCaptchad
from captchad.client.callbacks import CallbackRejected, verify_callback
from captchad.client.errors import TaskFailed, TaskUnfinished
from captchad.client.gateway import GatewayClient
from captchad.client.results import Progress, Report, Solution, Stats, Task
from captchad.client.sync_client import Captchad

__all__ = [
    "AsyncCaptchad",
    "CallbackRejected",
    "Captchad",
    "GatewayClient",
    "Progress",
    "Report",
    "Solution",
    "Stats",
    "Task",
    "TaskFailed",
    "TaskUnfinished",
    "verify_callback",
]
