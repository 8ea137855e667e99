"""GET /task_evidence/ID/…: the pictures kept of a task, for those who may read it."""

from aiohttp import web

from captchad.broker.evidence import EvidencePart, EvidenceStore
from captchad.broker.tasks import TaskStore
from captchad.domain.api_key import Scope
from captchad.domain.errors import PictureRefused
from captchad.domain.picture import PictureFormat, find_picture_format
from captchad.intake.admission import check_reach
from captchad.web.middleware.access import caller_of
from captchad.web.routes import Route

UNKNOWN_TYPE = "application/octet-stream"
CONTENT_TYPES = {
    PictureFormat.PNG: "image/png",
    PictureFormat.JPEG: "image/jpeg",
    PictureFormat.GIF: "image/gif",
    PictureFormat.WEBP: "image/webp",
    PictureFormat.BMP: "image/bmp",
    PictureFormat.SVG: "image/svg+xml",
}
# The bytes are a stranger's: an SVG opened by itself is a page, and must stay one without scripts and without us.
PROTECTION = {
    "Content-Disposition": "inline",
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
    ),
}


class EvidenceRoutes:
    """Handlers of the routes about evidence."""

    def __init__(self, tasks: TaskStore, evidence: EvidenceStore) -> None:
        self._tasks = tasks
        self._evidence = evidence

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        errors = ("invalid_request", "task_not_found", "rate_limited")
        return (
            Route(
                "GET",
                "/task_evidence/{task_id}/image",
                self.task_image,
                Scope.READ,
                "The captcha's picture, as the site sent it",
                is_rate_limited=True,
                query=(),
                answers={200: (*CONTENT_TYPES.values(), UNKNOWN_TYPE)},
                headers=("Content-Disposition",),
                errors=errors,
            ),
            Route(
                "GET",
                "/task_evidence/{task_id}/screenshot",
                self.task_screenshot,
                Scope.READ,
                "The page as it was",
                is_rate_limited=True,
                query=(),
                answers={200: ("image/png", UNKNOWN_TYPE)},
                headers=("Content-Disposition",),
                errors=errors,
            ),
        )

    async def task_image(self, request: web.Request) -> web.Response:
        """Return the captcha's picture."""
        return await self._answer(request, EvidencePart.PICTURE)

    async def task_screenshot(self, request: web.Request) -> web.Response:
        """Return the screenshot."""
        return await self._answer(request, EvidencePart.SCREENSHOT)

    async def _answer(self, request: web.Request, part: EvidencePart) -> web.Response:
        task_id, key = request.match_info["task_id"], caller_of(request)
        record = await self._tasks.read(task_id)
        check_reach(key, task_id, record.request, Scope.READ_ALL)
        picture = await self._evidence.read(task_id, part)
        return web.Response(body=picture, content_type=find_content_type(picture), headers=PROTECTION)


def find_content_type(picture: bytes) -> str:
    """Return the media type of a picture by its own first bytes."""
    try:
        return CONTENT_TYPES[find_picture_format(picture)]
    except PictureRefused:
        return UNKNOWN_TYPE
