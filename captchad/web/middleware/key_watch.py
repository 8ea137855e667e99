"""Ends what lasts longer than one look at an API key, streams and waits, once the key is no longer valid."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from captchad.domain.api_key import ApiKey
from captchad.domain.errors import CaptchadError, Unauthorized
from captchad.runtime.spawn import TaskSet

CHECK_SECONDS = 1.0

Authenticate = Callable[[str], Awaitable[ApiKey | None]]


class KeyWatch:
    """Asks once a second for each key that somebody holds, however many do; nobody holds one, nobody asks."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate
        self._held: defaultdict[str, set[asyncio.Timeout]] = defaultdict(set)
        self._work = TaskSet("key_watch")
        self._checking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def hold(self, text: str) -> AsyncIterator[None]:
        """Let work with a key go on as long as that is valid; after that cancel the work and raise Unauthorized."""
        scope = asyncio.timeout(None)
        try:
            async with scope:
                with self._watching(text, scope):
                    yield
        except TimeoutError:
            if not scope.expired():
                raise
            raise Unauthorized("this API key is no longer valid") from None

    @contextmanager
    def _watching(self, text: str, scope: asyncio.Timeout) -> Iterator[None]:
        self._held[text].add(scope)
        if self._checking is None or self._checking.done():
            self._checking = self._work.spawn(self._check(), "check")
        try:
            yield
        finally:
            self._held[text].discard(scope)
            if not self._held[text]:
                del self._held[text]

    async def _check(self) -> None:
        while self._held:
            await asyncio.sleep(CHECK_SECONDS)
            for text in list(self._held):
                if await self._is_valid(text):
                    continue
                for scope in self._held.pop(text, ()):
                    scope.reschedule(asyncio.get_running_loop().time())

    async def _is_valid(self, text: str) -> bool:
        try:
            return await self._authenticate(text) is not None
        except Unauthorized:
            return False
        except CaptchadError:
            # While Redis is away nobody knows, and nothing new is heard either.
            return True
