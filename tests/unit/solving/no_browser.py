"""A browser that may not be used."""

from contextlib import AbstractAsyncContextManager

from captchad.domain.page import PageOrder
from captchad.runtime.deadline import Deadline
from captchad.solving.captcha_page import CaptchaPage


class NoBrowser:
    """Stands where an attempt must open no page: any use of it fails the test."""

    def open_page(self, order: PageOrder, deadline: Deadline) -> AbstractAsyncContextManager[CaptchaPage]:
        raise AssertionError(order)

    async def rasterise(self, svg: bytes, deadline: Deadline) -> bytes:
        raise AssertionError(svg)
