"""A table of what callers get wrong: each kind with the one status and code it is answered with.

Every kind has a generator that draws a request of it from a seeded source, so that a run can be repeated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.integration.gateway.malformed_bodies import (
    bad_batch,
    bad_fill,
    bad_json,
    bad_session,
    contradiction,
    deep_json,
    malformed_callback,
    no_object,
    null_field,
    out_of_range,
    undeclared_callback,
    unknown_field,
    wrong_hint,
    wrong_image_type,
    wrong_type,
)
from tests.integration.gateway.malformed_calls import (
    bad_id,
    bad_idempotency_key,
    bad_query,
    bad_submit_query,
    compressed_body,
    foreign_host,
    foreign_origin,
    unknown_route,
    wrong_content_type,
    wrong_method,
)
from tests.integration.gateway.malformed_content import (
    bad_base64,
    huge_batch,
    huge_body,
    malformed_url,
    no_picture,
    other_scheme,
    picture_of_too_many_bytes,
    pixel_bomb,
    undeclared,
    undeclared_in_batch,
    undeclared_target,
)
from tests.integration.gateway.requests_to_send import MalformedRequest


@dataclass(frozen=True)
class Kind:
    """One kind of mistake; `share` weighs how many of a run's requests are of it."""

    name: str
    status: int
    code: str
    draw: Callable[[Random], MalformedRequest]
    share: int = 10


KINDS = (
    Kind("bad JSON", 400, "invalid_request", bad_json, 25),
    Kind("deeply nested JSON", 400, "invalid_request", deep_json, 5),
    Kind("a body that is no object", 400, "invalid_request", no_object),
    Kind("a field of the wrong type", 400, "invalid_request", wrong_type, 25),
    Kind("a hint of the wrong type", 400, "invalid_request", wrong_hint),
    Kind("an image of the wrong type", 400, "invalid_request", wrong_image_type, 3),
    Kind("a field that is null", 400, "invalid_request", null_field),
    Kind("a value out of range", 400, "invalid_request", out_of_range, 20),
    Kind("an unknown field", 400, "invalid_request", unknown_field, 15),
    Kind("fields that contradict each other", 400, "invalid_request", contradiction, 15),
    Kind("bad base64", 400, "invalid_request", bad_base64, 15),
    Kind("an image that is no picture", 400, "invalid_request", no_picture, 15),
    Kind("a bomb of pixels", 400, "invalid_request", pixel_bomb, 12),
    Kind("a picture of too many bytes", 413, "body_too_large", picture_of_too_many_bytes, 1),
    Kind("a huge body", 413, "body_too_large", huge_body, 2),
    Kind("a huge batch", 413, "body_too_large", huge_batch, 1),
    Kind("a URL of another scheme", 400, "invalid_request", other_scheme, 15),
    Kind("a malformed URL", 400, "invalid_request", malformed_url, 20),
    Kind("an undeclared host", 403, "target_not_allowed", undeclared, 25),
    Kind("a picture of an undeclared host", 403, "target_not_allowed", undeclared_target, 7),
    Kind("a wrong content type", 415, "unsupported_media_type", wrong_content_type, 11),
    Kind("a compressed body", 415, "unsupported_media_type", compressed_body, 4),
    Kind("a callback to where none may be sent", 400, "invalid_request", undeclared_callback, 4),
    Kind("a malformed callback", 400, "invalid_request", malformed_callback, 4),
    Kind("a session that may not be", 400, "invalid_request", bad_session, 16),
    Kind("a form that can't be filled", 400, "invalid_request", bad_fill, 12),
    Kind("an id that is none", 404, "task_not_found", bad_id, 20),
    Kind("an unknown route", 404, "not_found", unknown_route, 8),
    Kind("a wrong method", 405, "method_not_allowed", wrong_method, 12),
    Kind("a bad query", 400, "invalid_request", bad_query, 30),
    Kind("a query where none is read", 400, "invalid_request", bad_submit_query, 2),
    Kind("a bad Idempotency-Key", 400, "invalid_request", bad_idempotency_key, 6),
    Kind("a bad batch", 400, "invalid_request", bad_batch, 15),
    Kind("an undeclared host in a batch", 403, "target_not_allowed", undeclared_in_batch, 5),
    Kind("a foreign Host header", 403, "forbidden", foreign_host, 7),
    Kind("a foreign Origin", 403, "forbidden", foreign_origin, 6),
)


def draw_requests(count: int, seed: int) -> list[tuple[Kind, MalformedRequest]]:
    """Draw `count` requests, each kind by its share and at least once."""
    random = Random(seed)
    kinds = [*KINDS, *random.choices(KINDS, [kind.share for kind in KINDS], k=count - len(KINDS))]
    return [(kind, kind.draw(random)) for kind in kinds]
