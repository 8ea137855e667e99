"""What Redis's errors mean, as each server and the driver word them."""

import pytest
from redis import exceptions
from redis._parsers.base import BaseParser

from captchad.broker.failures import FULL_MEMORY, FailureKind, classify

READONLY = "READONLY You can't write against a read only replica."
IN_SCRIPT_6_2 = "ERR Error running script (call to f_1a2b): @user_script:12: @user_script: 12: -{error} "
IN_SCRIPT_7 = "{error} script: 1a2b, on @user_script:12."


def parse(reply: str) -> Exception:
    """Make the driver's exception of a server's error."""
    error = BaseParser.parse_error(reply)
    assert isinstance(error, Exception)
    return error


def put_in_pipeline(error: Exception) -> Exception:
    """Word an error as the driver does where it came in a pipeline."""
    error.args = (f"Command # 1 (EVALSHA 1a2b 1 captchad) of pipeline caused error: {error.args}", *error.args[1:])
    return error


@pytest.mark.parametrize("form", ["{error}", IN_SCRIPT_6_2, IN_SCRIPT_7])
@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (READONLY, FailureKind.REFUSED, "READONLY"),
        ("NOREPLICAS Not enough good replicas to write.", FailureKind.REFUSED, "NOREPLICAS"),
        ("MISCONF Errors writing to the AOF file: No space left on device", FailureKind.REFUSED, "MISCONF"),
        ("MASTERDOWN Link with MASTER is down", FailureKind.REFUSED, "MASTERDOWN"),
        ("OOM command not allowed when used memory > 'maxmemory'.", FailureKind.FULL, "OOM"),
        ("NOPERM this user has no permissions to run the 'xadd' command", FailureKind.FORBIDDEN, "NOPERM"),
    ],
)
def test_a_refusal_is_known_wherever_it_comes_from(form: str, error: str, kind: FailureKind, code: str) -> None:
    for raised in (parse(form.format(error=error)), put_in_pipeline(parse(form.format(error=error)))):
        failure = classify(raised)
        assert failure is not None
        assert (failure.kind, failure.code) == (kind, code)
        assert "\n" not in failure.message
        assert "@user_script" not in failure.message


@pytest.mark.parametrize(
    "error",
    [
        "LOADING Redis is loading the dataset in memory",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "CLUSTERDOWN The cluster is down",
        "TRYAGAIN Multiple keys request during rehashing of slot",
    ],
)
def test_a_server_that_serves_nothing_shows_by_a_read_that_it_is_back(error: str) -> None:
    failure = classify(parse(error))
    assert failure is not None
    assert failure.kind is FailureKind.REFUSED
    assert failure.concerns_reads


@pytest.mark.parametrize(
    "words",
    [
        "ERR Error running script (call to f_1a2b): @user_script:1: @user_script: 1: "
        "The user executing the script can't run this command or subcommand ",
        "ERR ACL failure in script: User worker has no permissions to run the 'xadd' command "
        "script: 1a2b, on @user_script:1.",
    ],
)
def test_a_right_that_a_script_lacks_is_known_without_its_code(words: str) -> None:
    failure = classify(parse(words))
    assert failure is not None
    assert failure.kind is FailureKind.FORBIDDEN


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ConnectionError("Connection closed by server."),
        exceptions.TimeoutError("Timeout reading from socket"),
        exceptions.InvalidResponse("Protocol Error"),
        parse("ERR max number of clients reached"),
        ConnectionRefusedError(111, "refused"),
        TimeoutError(),
    ],
)
def test_no_answer_is_silence(error: Exception) -> None:
    failure = classify(error)
    assert failure is not None
    assert failure.kind is FailureKind.SILENT
    assert failure.concerns_reads
    assert failure.message.startswith("Redis does not answer: ")
    assert failure.message[-1] not in ": "


@pytest.mark.parametrize(
    "error",
    [
        parse("ERR Error compiling script (new function): user_script:1: unexpected symbol near 'READONLY'"),
        parse("WRONGTYPE Operation against a key holding the wrong kind of value"),
        parse("ERR unknown command 'FROBNICATE', with args beginning with: 'OOM' "),
        parse("NOGROUP No such key 'captchad:{p00}:queue:high' or consumer group 'workers'"),
        exceptions.DataError("Invalid input of type: 'NoneType'"),
    ],
)
def test_a_fault_of_ours_stays_one(error: Exception) -> None:
    assert classify(error) is None


@pytest.mark.parametrize("reply", ["WRONGPASS invalid username-password pair", "NOAUTH Authentication required."])
def test_a_refused_login_is_forbidden_and_explained_in_the_servers_words(reply: str) -> None:
    failure = classify(parse(reply))
    assert failure is not None
    assert failure.kind is FailureKind.FORBIDDEN
    assert failure.message == f"Redis refuses the login: {reply.partition(' ')[2].rstrip('.')}"


def test_only_a_server_that_is_not_the_master_may_have_a_successor() -> None:
    demoted = classify(parse(READONLY))
    short = classify(parse("NOREPLICAS Not enough good replicas to write."))
    assert demoted is not None
    assert demoted.may_be_elsewhere
    assert short is not None
    assert not short.may_be_elsewhere


def test_a_demoted_master_that_the_driver_has_left_by_itself_is_known() -> None:
    failure = classify(exceptions.ConnectionError("The previous master is now a slave"))
    assert failure is not None
    assert failure.code == "READONLY"


def test_a_full_memory_is_said_in_one_way() -> None:
    assert classify(parse("OOM command not allowed when used memory > 'maxmemory'.")) == FULL_MEMORY
