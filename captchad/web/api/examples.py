"""Bodies to begin with, in the OpenAPI document and on the page that tries the API."""

from typing import Any

from pydantic import BaseModel

from captchad.web.api.schema import BatchBody, LimitsBody, ReportBody, TaskBody

_PAGE = "https://captcha.example.com/login"
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

EXAMPLES: dict[type[BaseModel], dict[str, Any]] = {
    TaskBody: {
        "A page": {"url": _PAGE},
        "A page, before others, with what is known of the text": {
            "url": _PAGE,
            "priority": "high",
            "hints": {"charset": "0123456789", "min_length": 4, "max_length": 6},
        },
        "A page that is signed in already": {
            "url": _PAGE,
            "session": {
                "cookies": [{"name": "sid", "value": "open-sesame", "http_only": True}],
                "headers": {"X-Tenant": "7"},
                "local_storage": {"theme": "dark"},
            },
            "return_session": True,
        },
        "A session as Playwright saves it": {
            "url": _PAGE,
            "session": {
                "storage_state": {
                    "cookies": [
                        {
                            "name": "sid",
                            "value": "open-sesame",
                            "domain": "captcha.example.com",
                            "path": "/",
                            "expires": -1,
                            "httpOnly": True,
                            "secure": True,
                            "sameSite": "Lax",
                        }
                    ],
                    "origins": [],
                }
            },
        },
        "A form, filled in and verified, with pictures to look at": {
            "url": _PAGE,
            "fill": {
                "input": "#captcha",
                "submit": "#submit",
                "success": "#welcome",
                "failure": "text:wrong code",
                "refresh": "#refresh",
            },
            "evidence": True,
        },
        "A picture": {"image": _PIXEL, "target": "captcha.example.com"},
    },
    ReportBody: {
        "The answer was right": {"right": True},
        "It was wrong": {"right": False},
        "It was wrong, and this is what the picture shows": {"right": False, "text": "7KM4"},
    },
    LimitsBody: {
        "Slower": {"max_per_minute": 1, "max_concurrent": 1},
        "No longer than this day": {"expires": "2026-01-31"},
        "As declared again": {"reset": True},
    },
    BatchBody: {"Two pages": {"tasks": [{"url": _PAGE}, {"url": "https://captcha.example.com/register"}]}},
}
"""By body and then by summary; a test has each accepted."""
