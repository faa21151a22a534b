"""The batcher: what comes together goes together, and nobody waits for a timer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from objproc.domain.commands import CancelObject
from objproc.domain.ids import DEFAULT_TENANT, partition_of
from objproc.errors import TransientError
from objproc.streams.ports import Append, Appended, AppendMode
from objproc_api.caller import Caller
from objproc_api.commands import APPENDS_MAX, Commands, Sent

from .world import PARTITIONS, TestClock

CALLER = Caller(tenant=DEFAULT_TENANT, actor="anonymous", correlation_id=None, traceparent=None)


class Recorder:
    """A CommandPort whose calls end when the test says so."""

    def __init__(self) -> None:
        self.calls: list[Mapping[int, Sequence[Append]]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def append(self, batches: Mapping[int, Sequence[Append]]) -> dict[int, list[Appended]]:
        self.calls.append(batches)
        await self.gate.wait()
        if self.error:
            raise self.error
        return {p: [Appended(p, append.object_id.encode()) for append in some] for p, some in batches.items()}

    async def pending(self, partition: int, object_ids: Sequence[str]) -> list[bytes | None]:
        return [None for _ in object_ids]


@pytest.fixture
def port() -> Recorder:
    return Recorder()


@pytest.fixture
def commands(port: Recorder) -> Commands:
    return Commands(port, PARTITIONS, TestClock())


def send(commands: Commands, name: str) -> asyncio.Task[Sent]:
    command = CancelObject(object_id=name, command_id=name)
    return asyncio.create_task(commands.send(command, name, AppendMode.PLAIN, CALLER))


async def until_called(port: Recorder, times: int) -> None:
    while len(port.calls) < times:
        await asyncio.sleep(0)


async def test_a_command_that_comes_alone_leaves_at_once(commands: Commands, port: Recorder) -> None:
    port.gate.set()
    sent = await send(commands, "a")
    assert sent == Sent(partition_of("a", PARTITIONS), Appended(partition_of("a", PARTITIONS), b"a"))


async def test_what_comes_while_one_call_is_in_flight_shares_the_next(commands: Commands, port: Recorder) -> None:
    first = send(commands, "first")
    await until_called(port, 1)
    others = [send(commands, f"other-{number}") for number in range(10)]
    await asyncio.sleep(0)
    assert len(port.calls) == 1
    port.gate.set()
    answers = await asyncio.gather(first, *others)
    assert len(port.calls) == 2
    # every caller has the answer to its own command
    assert [answer.appended.earlier for answer in answers[1:]] == [f"other-{n}".encode() for n in range(10)]


async def test_commands_of_one_object_keep_their_order(commands: Commands, port: Recorder) -> None:
    port.gate.set()
    sends = []
    for number in range(5):
        command = CancelObject(object_id="same", command_id=str(number))
        sends.append(commands.send(command, str(number), AppendMode.PLAIN, CALLER))
    await asyncio.gather(*sends)
    ids = [append.command_id for call in port.calls for append in call[partition_of("same", PARTITIONS)]]
    assert ids == ["0", "1", "2", "3", "4"]


async def test_no_call_grows_beyond_its_bound(commands: Commands, port: Recorder) -> None:
    port.gate.set()
    await asyncio.gather(*(send(commands, str(number)) for number in range(APPENDS_MAX + 1)))
    assert [sum(map(len, call.values())) for call in port.calls] == [APPENDS_MAX, 1]


async def test_the_error_of_a_call_is_that_of_all_who_shared_it_and_of_nobody_else(
    commands: Commands, port: Recorder
) -> None:
    port.error = TransientError("Redis: away")
    port.gate.set()
    answers = await asyncio.gather(*(send(commands, str(n)) for n in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [TransientError] * 3
    port.error = None
    assert (await send(commands, "later")).appended.earlier == b"later"


async def test_a_caller_that_goes_away_disturbs_nobody(commands: Commands, port: Recorder) -> None:
    gone, stays = send(commands, "gone"), send(commands, "stays")
    await until_called(port, 1)
    gone.cancel()
    port.gate.set()
    assert (await stays).appended.earlier == b"stays"
    assert gone.cancelled() or await asyncio.gather(gone, return_exceptions=True)
