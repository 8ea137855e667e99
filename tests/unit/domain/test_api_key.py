"""What the scopes of a key grant."""

import pytest

from captchad.domain.api_key import ApiKey, Scope


def make_key(*scopes: Scope, revoked_ms: int | None = None) -> ApiKey:
    return ApiKey("1", "tests", frozenset(scopes), (), 0, revoked_ms)


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        (Scope.SUBMIT, {Scope.SUBMIT}),
        (Scope.READ, {Scope.READ}),
        (Scope.READ_ALL, {Scope.READ, Scope.READ_ALL}),
        (Scope.ADMIN, set(Scope)),
    ],
)
def test_a_scope_grants_itself_and_what_it_includes(scope: Scope, granted: set[Scope]) -> None:
    assert {asked for asked in Scope if make_key(scope).allows(asked)} == granted
    assert not any(make_key(scope, revoked_ms=1).allows(asked) for asked in Scope)
