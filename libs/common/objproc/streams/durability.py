"""What an acknowledgement is worth: the server as it is set up, against the level that was asked for.

`durable`: on disk. A server with `appendfsync always` sends no reply before its fsync, so nothing more is needed;
elsewhere the script is followed by WAITAOF on its own connection, the only one whose writes WAITAOF covers.
`replicated`: on a replica's disk, too; where there is no WAITAOF, in a replica's memory (WAIT).
`accepted`: nothing is waited for.

How "the projector reads only what is durable" holds at each level. With `appendfsync always` a read is answered after
the fsync of what it saw, as every reply is. Where that is not so, the projector writes a mark after reading the log
and waits for the mark by the same rule as the api: the server's log on disk is one sequence, so the mark covers all
that was read before it (`RedisStreams.read_projection`). The scheduler's commits wait for nothing: a commit that is
lost with Redis takes its cursors and its tasks along, nobody has projected it, and its inputs are decided again.

What a server can do is asked by COMMAND INFO and CONFIG GET, never by its version; where CONFIG is refused, only
WAITAOF counts. It is asked again when an answer is older than LOOK_EVERY_S, so a server that was set up anew, or took
another's place, is known as what it is within that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from objproc.clock import Clock
from objproc.errors import UnconfirmedError
from objproc.settings import Durability
from objproc.streams.connection import SOCKET_TIMEOUT_S, Call, Client, our_errors, run_scripts
from objproc.streams.ports import Standing
from objproc.telemetry import Log

LOOK_EVERY_S = 1.0
WAIT_MS_MAX = 10_000
ASK_AGAIN_MS = (5, 10, 20, 50, 100, 200)
"""A replica tells what it has synced when it is asked, and else once a second: WAITAOF asks, so it is sent again."""
assert WAIT_MS_MAX + sum(ASK_AGAIN_MS) < SOCKET_TIMEOUT_S * 1000

log = Log("durability")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a server says of itself; None where it does not say."""

    has_waitaof: bool
    is_appendonly: bool | None
    fsync: str | None
    replicas: int | None
    eviction: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What follows a write on its connection, and the least each figure of the last answer must be."""

    commands: tuple[tuple[str | int, ...], ...]
    least: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is waited for, and what that is worth. A shut rule cannot be fulfilled: nothing should be written."""

    standing: Standing
    confirmation: Confirmation | None = None
    is_shut: bool = False


def rule_for(level: Durability, server: Server, timeout_ms: int) -> Rule:
    """What the level asks of this server."""
    if level is Durability.ACCEPTED:
        return Rule(standing=Standing(level, True, ""))
    lacking = _lacking(server)
    if level is Durability.DURABLE:
        is_waiting = server.has_waitaof and server.is_appendonly is not False and server.fsync != "always"
        local = Confirmation(commands=(("WAITAOF", 1, 0, timeout_ms),), least=(1, 0))
        return Rule(standing=Standing(level, not lacking, lacking), confirmation=local if is_waiting else None)
    if server.has_waitaof:
        own = 0 if server.is_appendonly is False else 1
        waits_ms = (*(ms for ms in ASK_AGAIN_MS if ms < timeout_ms), timeout_ms)
        both = Confirmation(commands=tuple(("WAITAOF", own, 1, ms) for ms in waits_ms), least=(own, 1))
    else:
        both = Confirmation(commands=(("WAIT", 1, timeout_ms),), least=(1,))
    is_alone = server.replicas == 0
    reason = "; ".join(filter(None, (lacking, "no replica is connected" if is_alone else "")))
    return Rule(standing=Standing(level, not reason, reason), confirmation=both, is_shut=is_alone)


def _lacking(server: Server) -> str:
    """Why a write is not known to stay on this server's disk; empty where it is."""
    if server.eviction and server.eviction.startswith("allkeys"):
        return f"maxmemory-policy is {server.eviction}: a full server would drop what it acknowledged"
    if server.is_appendonly is False:
        return "appendonly is no"
    if server.has_waitaof or server.fsync == "always":
        return ""
    if server.fsync is None:
        return "CONFIG GET is refused, and the server has no WAITAOF"
    return f"appendfsync is {server.fsync}, and the server has no WAITAOF"


class Assurance:
    """Knows the rule of the level that was asked for, and whether an answer fulfils it."""

    def __init__(self, client: Client, level: Durability, timeout_ms: int, clock: Clock) -> None:
        self._client = client
        self._level = level
        self._timeout_ms = timeout_ms
        self._clock = clock
        self._rule: Rule | None = None
        self._looked_at = 0.0

    async def standing(self) -> Standing:
        """What an acknowledgement is worth at this moment."""
        return (await self.rule()).standing

    async def rule(self) -> Rule:
        """The rule by what the server said within LOOK_EVERY_S. A level that is not met is told once."""
        now = self._clock.monotonic()
        if self._rule is not None and now - self._looked_at < LOOK_EVERY_S:
            return self._rule
        before = self._rule.standing if self._rule else None
        self._rule = None
        self._rule = rule = rule_for(self._level, await self._look(), self._timeout_ms)
        self._looked_at = now
        if rule.standing != before and not rule.standing.is_met:
            log.warning("durability_below_level", level=self._level.value, reason=rule.standing.reason)
        return rule

    async def write(self, calls: Sequence[Call]) -> list[Any]:
        """Run scripts that write, and wait for what the level asks.

        UnconfirmedError where that was not reached in time: the write stands, but it may still be lost; or where it
        cannot be reached at all: nothing was written.
        """
        rule = await self.rule()
        confirmation = rule.confirmation
        if rule.is_shut:
            raise UnconfirmedError(f"Redis: {rule.standing.reason}", self._level)
        if confirmation is None:
            return await run_scripts(self._client, calls)
        return await run_scripts(self._client, calls, (confirmation.commands, partial(self._check, confirmation)))

    async def settle(self, marks: Sequence[Call]) -> list[Any]:
        """Wait until what was read is as safe as what is acknowledged; nothing where it is anyway."""
        rule = await self.rule()
        return await self.write(marks) if rule.confirmation is not None else []

    def _check(self, confirmation: Confirmation, reply: Any) -> None:
        figures = reply if isinstance(reply, list) else [reply]
        if isinstance(reply, ResponseError):  # the server was set up anew since it was asked
            self._rule = None
            raise UnconfirmedError(f"Redis: {reply}", self._level)
        if any(figure < least for figure, least in zip(figures, confirmation.least, strict=True)):
            detail = f"{confirmation.commands[0][0]} answered {figures} within {self._timeout_ms} ms"
            raise UnconfirmedError(f"Redis: {detail}, {list(confirmation.least)} is needed", self._level)

    async def _look(self) -> Server:
        async with our_errors():
            pipe = self._client.pipeline(transaction=False)
            pipe.execute_command("COMMAND INFO", "WAITAOF")
            pipe.config_get("appendonly")
            pipe.config_get("appendfsync")
            pipe.config_get("maxmemory-policy")
            pipe.info("replication")
            known, appendonly, fsync, policy, replication = await pipe.execute(raise_on_error=False)
            for reply in (known, appendonly):
                if isinstance(reply, RedisConnectionError):  # LOADING; a refusal is an answer
                    raise reply
            has_waitaof = isinstance(known, list) and bool(known[0])
            answer = _value(appendonly, "appendonly")
            is_appendonly = None if answer is None else answer == "yes"
            if is_appendonly is None and has_waitaof:
                is_appendonly = await self._answers_waitaof()
        told = replication if isinstance(replication, dict) else {}
        return Server(
            has_waitaof=has_waitaof,
            is_appendonly=is_appendonly,
            fsync=_value(fsync, "appendfsync"),
            eviction=_value(policy, "maxmemory-policy"),
            replicas=told.get("connected_slaves"),
        )

    async def _answers_waitaof(self) -> bool | None:
        """Whether WAITAOF is of use: without an append-only file it is refused."""
        try:
            await self._client.execute_command("WAITAOF", 1, 0, 1)
        except ResponseError as error:
            return False if "appendonly" in str(error) else None
        return True


def _value(reply: Any, name: str) -> str | None:
    """What CONFIG GET answered; None where it is refused."""
    return reply.get(name) if isinstance(reply, dict) else None
