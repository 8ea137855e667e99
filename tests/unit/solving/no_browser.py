"""A browser that may not be used."""

from collections.abc import Awaitable, Callable

from captchad.domain.visit import VisitOrder
from captchad.solving.visit import CaptchaVisit, Result


class NoBrowser:
    """Stands where an attempt must open no page: any use of it fails the test."""

    async def visit(
        self,
        order: VisitOrder,
        work: Callable[[CaptchaVisit], Awaitable[Result]],
        timeout_seconds: float,
        task_id: str,
    ) -> Result:
        raise AssertionError(order)

    async def rasterise(self, svg: bytes, timeout_seconds: float, task_id: str) -> bytes:
        raise AssertionError(svg)
