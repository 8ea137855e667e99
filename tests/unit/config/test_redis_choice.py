import pytest
from pydantic import SecretStr

from captchad.config.redis_choice import RedisKind, choose_redis, choose_redis_or_local
from captchad.config.settings import RedisMasterSection, RedisSection, RedisSentinelSection

MASTER = RedisMasterSection(host="master", password=SecretStr("secret"), db=2)
SENTINEL = RedisSentinelSection(hosts=("one:1", "[::1]:2", "three"), password=SecretStr("guard"))
URL = SecretStr("redis://user:p%40ss@server:7000/3")


def test_the_url_wins_over_sentinel_and_that_over_the_master() -> None:
    kinds = [
        choice.kind if (choice := choose_redis(section)) else None
        for section in (
            RedisSection(url=URL, sentinel=SENTINEL, master=MASTER),
            RedisSection(sentinel=SENTINEL, master=MASTER),
            RedisSection(master=MASTER),
            RedisSection(),
        )
    ]
    assert kinds == [RedisKind.URL, RedisKind.SENTINEL, RedisKind.MASTER, None]


def test_a_password_alone_names_no_server_and_is_used_with_the_local_one() -> None:
    section = RedisSection(master=RedisMasterSection(password=SecretStr("secret")))
    assert choose_redis(section) is None
    local = choose_redis_or_local(section)
    assert (local.hosts, local.password) == ((("127.0.0.1", 6379),), "secret")


@pytest.mark.parametrize(
    ("section", "shown"),
    [
        (RedisSection(master=RedisMasterSection(host="::1")), "[::1]:6379"),
        (RedisSection(sentinel=SENTINEL), "mymaster by Sentinel at one:1, [::1]:2, three:26379"),
        (RedisSection(url=SecretStr("redis://[::1]:7000/0")), "redis://[::1]:7000/0"),
    ],
)
def test_an_ipv6_address_is_shown_in_brackets(section: RedisSection, shown: str) -> None:
    assert choose_redis_or_local(section).describe() == shown


def test_a_url_is_taken_apart() -> None:
    choice = choose_redis(RedisSection(url=URL))
    assert choice is not None
    assert (choice.hosts, choice.username, choice.password, choice.db) == ((("server", 7000),), "user", "p@ss", 3)


def test_sentinels_come_with_the_masters_login() -> None:
    choice = choose_redis(RedisSection(sentinel=SENTINEL, master=MASTER))
    assert choice is not None
    assert choice.hosts == (("one", 1), ("::1", 2), ("three", 26379))
    assert (choice.password, choice.sentinel_password, choice.db) == ("secret", "guard", 2)


def test_a_bare_role_falls_back_to_the_local_server() -> None:
    choice = choose_redis_or_local(RedisSection())
    assert choice.hosts == (("127.0.0.1", 6379),)
    assert choice.is_local


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("unix:///run/redis.sock", True),
        ("redis://localhost/0", True),
        ("redis://[::1]:1/0", True),
        ("redis://10.0.0.1/0", False),
    ],
)
def test_whether_redis_is_on_this_machine(url: str, is_local: bool) -> None:
    assert choose_redis_or_local(RedisSection(url=SecretStr(url))).is_local is is_local


def test_no_description_and_no_repr_shows_a_password() -> None:
    for section in (RedisSection(url=URL), RedisSection(sentinel=SENTINEL, master=MASTER), RedisSection(master=MASTER)):
        choice = choose_redis_or_local(section)
        shown = choice.describe() + repr(choice)
        assert not any(secret in shown for secret in ("p@ss", "p%40ss", "secret", "guard"))
