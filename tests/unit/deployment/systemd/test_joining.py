"""What a host joins, from a URL and a file: secrets come by the file alone."""

import json

import pytest

from captchad.config.redis_choice import RedisKind, choose_redis
from captchad.config.settings import RedisSection
from captchad.deployment.systemd.joining import Credentials, check_url, find_joining, read_credentials
from captchad.domain.errors import DeploymentFailed

GIVEN = Credentials(password="p@ss:/word", sentinel_password="other", session_key="k" * 32, ca="PEM")


def section(url: str) -> RedisSection:
    return RedisSection.model_validate(find_joining(url, GIVEN).redis)


def test_a_url_is_joined_with_the_password_of_the_file() -> None:
    redis = section("rediss://captchad@10.0.0.5:6380/2")
    choice = choose_redis(redis)
    assert choice is not None
    assert (choice.hosts, choice.username, choice.password, choice.db) == (
        (("10.0.0.5", 6380),),
        "captchad",
        GIVEN.password,
        2,
    )
    assert redis.tls.enabled
    assert redis.tls.ca_file == "/etc/captchad/ca.crt"


def test_sentinels_are_joined_with_both_passwords() -> None:
    redis = section("rediss+sentinel://captchad@alpha:26379,beta:26380/main")
    choice = choose_redis(redis)
    assert choice is not None
    assert choice.kind is RedisKind.SENTINEL
    assert choice.hosts == (("alpha", 26379), ("beta", 26380))
    assert (choice.master_name, choice.username, choice.password, choice.sentinel_password) == (
        "main",
        "captchad",
        GIVEN.password,
        "other",
    )


def test_a_url_without_a_master_means_the_usual_one() -> None:
    choice = choose_redis(section("rediss+sentinel://alpha"))
    assert choice is not None
    assert choice.master_name == "mymaster"


def test_without_an_authority_those_of_the_system_are_trusted() -> None:
    joining = find_joining("rediss://redis.example.com", Credentials(password="p"))
    assert joining.redis["tls"] == {"enabled": True}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://10.0.0.5:6379", "must begin with rediss"),
        ("redis+sentinel://10.0.0.5", "must begin with rediss"),
        ("https://10.0.0.5", "must have the form rediss://"),
        ("rediss://", "must have the form rediss://"),
        ("rediss://captchad:secret@10.0.0.5", "--credentials"),
        ("rediss://10.0.0.5:port", "can't be read"),
    ],
)
def test_a_url_that_can_not_be_joined_is_refused_and_no_password_repeated(url: str, words: str) -> None:
    with pytest.raises(DeploymentFailed, match=words) as caught:
        check_url(url)
    assert "secret" not in caught.value.message


def test_a_file_needs_no_more_than_the_password() -> None:
    assert read_credentials('{"password": "p"}', "file") == Credentials(password="p")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("secret", "no JSON object with the keys url, password"),
        ('["secret"]', "values are texts"),
        ('{"password": 17}', "values are texts"),
        (json.dumps({"pasword": "secret"}), "unknown key 'pasword'"),
    ],
)
def test_a_file_that_is_none_is_refused_without_a_word_of_what_is_in_it(text: str, words: str) -> None:
    with pytest.raises(DeploymentFailed, match=words) as caught:
        read_credentials(text, "file")
    assert "secret" not in caught.value.message
