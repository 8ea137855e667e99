"""Bodies to begin with, in the OpenAPI document and on the page that tries the API."""

from typing import Any

from pydantic import BaseModel

from captchad.web.api.schema import BatchBody, LimitsBody, ReportBody, TaskBody

EXAMPLE_TASK_ID = "task_00x5b3m6c7q2kd4w3h5zq7n2uf4a"
_PAGE = "https://captcha.example.com/login"
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_COOKIE = {
    "name": "sid",
    "value": "open-sesame",
    "domain": "captcha.example.com",
    "path": "/",
    "expires": 4102444800,
    "http_only": True,
    "secure": True,
    "same_site": "Lax",
}
_STATE_COOKIE = {
    "name": "sid",
    "value": "open-sesame",
    "domain": "captcha.example.com",
    "path": "/",
    "expires": -1,
    "httpOnly": True,
    "secure": True,
    "sameSite": "Lax",
    # Such a cookie is left out: it is for frames inside another site.
    "partitionKey": "https://other.example.com",
    "_crHasCrossSiteAncestor": False,
}

EXAMPLES: dict[type[BaseModel], dict[str, Any]] = {
    TaskBody: {
        "A page": {"url": _PAGE},
        "A page, before others, with what is known of the text": {
            "url": _PAGE,
            "priority": "high",
            "timeout": 60,
            "retry_count": 3,
            "task_deadline": 600,
            "selector": "img.captcha",
            "hints": {
                "charset": "0123456789",
                "min_length": 4,
                "max_length": 6,
                "case_sensitive": False,
                "kind": "text",
                "colour": "#c02f3b",
                "position": "first:4",
            },
            "metadata": {"order": 4711},
        },
        "A page that is signed in already": {
            "url": _PAGE,
            "session": {
                "cookies": [_COOKIE],
                "headers": {"X-Tenant": "7"},
                "local_storage": {"theme": "dark"},
            },
            "return_session": True,
        },
        "A session as Playwright saves it": {
            "url": _PAGE,
            "session": {
                "storage_state": {
                    "cookies": [_STATE_COOKIE],
                    "origins": [
                        {
                            "origin": "https://captcha.example.com",
                            "localStorage": [{"name": "theme", "value": "dark"}],
                        }
                    ],
                }
            },
        },
        "A form, filled in and verified, with pictures to look at": {
            "url": _PAGE,
            "steps": [
                {"click": "#sign-in"},
                {"wait_for": "#dialog"},
                {"hover": "#menu"},
                {"focus": "#user"},
                {"type": "#user", "value": "anna"},
            ],
            "fill": {
                "input": "#captcha",
                "submit": "#submit",
                "success": "#welcome",
                "failure": "text:wrong code",
                "rejected": "text:wrong password",
                "refresh": "#refresh",
                "dialogs": "accept",
                "fields": [
                    {"selector": "#password", "value": "open-sesame"},
                    {"selector": "#country", "choose": "Iceland"},
                    {"selector": "#agree", "check": True},
                ],
            },
            "evidence": True,
        },
        "A picture": {"image": _PIXEL, "target": "captcha.example.com"},
        "A page whose result is sent to you": {"url": _PAGE, "callback_url": "https://hooks.example.com/done"},
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
"""By body and then by summary; a test has each accepted, and every field in one of them."""
