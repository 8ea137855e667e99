"""The headers by which a gateway's answers protect browsers."""

import pytest

from captchad.config.settings import CompatibilitySection
from tests.answer_headers import assert_protected, list_requests, read_headers
from tests.integration.gateway.conftest import StartGateway, configure


@pytest.mark.parametrize("needs_keys", [False, True])
async def test_every_answer_bears_them(start_gateway: StartGateway, needs_keys: bool) -> None:
    configuration = configure(api_key_required=needs_keys)
    configuration = configuration.model_copy(update={"compatibility": CompatibilitySection(enabled=True)})
    statuses = set()
    async with start_gateway(configuration) as gateway:
        for method, path in list_requests(gateway.application):
            status, headers = await read_headers(gateway.session, method, path)
            statuses.add(status)
            assert_protected(headers)
    assert statuses >= ({401, 404, 405} if needs_keys else {200, 302, 404, 405, 415})
