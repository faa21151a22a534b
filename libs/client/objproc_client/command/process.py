"""`objproc process`: upload, submit, and follow until everything is over."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections import defaultdict
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from objproc_client.answers import FeedEvent, Progress, Submission
from objproc_client.async_client import AsyncClient
from objproc_client.calls import ProcessOptions
from objproc_client.command import exits
from objproc_client.command.audience import reporter_for
from objproc_client.command.reporters import Ending, Reporter, Silence
from objproc_client.command.screen import Screen, aligned
from objproc_client.errors import NotFoundError

UPLOADS_MAX = 4
WATCHES_MAX = 16  # also how many bars a terminal shows at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One object to submit; `name` is what people call it here."""

    name: str
    identifier: str
    path: Path | None


class Run:
    """The work of one `objproc process`; it notes what it submitted, so that an interruption can tell."""

    def __init__(
        self, client: AsyncClient, operations: Sequence[str], options: ProcessOptions, *, is_watching: bool
    ) -> None:
        """Prepare to submit everything with the same operations and options."""
        self.submissions: dict[str, Submission] = {}
        self.endings: list[Ending] = []
        self._client = client
        self._operations = operations
        self._options = options
        self._is_watching = is_watching
        self._uploads = asyncio.Semaphore(UPLOADS_MAX)
        self._watches = asyncio.Semaphore(WATCHES_MAX)
        # A submission takes the newest content of its identifier: the next upload under it has to wait.
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def process(self, entries: Sequence[Entry], reporter: Reporter) -> None:
        """Process all entries, several at a time."""
        async with self._client, asyncio.TaskGroup() as group:
            for entry in entries:
                group.create_task(self._process(entry, reporter))

    async def _process(self, entry: Entry, reporter: Reporter) -> None:
        try:
            submission = await self._submit(entry, reporter)
            progress = await self._follow(entry, submission, reporter) if self._is_watching else None
            ending = Ending(name=entry.name, object_id=submission.object_id, progress=progress)
        except exits.EXPECTED as error:
            submitted = self.submissions.get(entry.name)
            ending = Ending(name=entry.name, object_id=submitted.object_id if submitted else None, error=error)
        self.endings.append(ending)
        reporter.ended(ending)

    async def _submit(self, entry: Entry, reporter: Reporter) -> Submission:
        async with self._turns[entry.identifier], self._uploads:
            if entry.path is not None:
                size = entry.path.stat().st_size
                await self._client.put_content(
                    entry.identifier, entry.path, on_sent=lambda sent: reporter.uploading(entry.name, sent, size)
                )
            submission = await self._client.process(entry.identifier, self._operations, **self._options)
        self.submissions[entry.name] = submission
        reporter.submitted(entry.name, submission)
        return submission

    async def _follow(self, entry: Entry, submission: Submission, reporter: Reporter) -> Progress:
        last: FeedEvent | None = None
        async with self._watches, aclosing(self._client.watch(submission.object_id)) as events:
            async for event in events:
                reporter.happened(entry.name, event)
                last = event
        try:
            return await self._client.progress(submission.object_id)
        except NotFoundError:
            if last is None or last.state is None:
                raise
            return Progress(object_id=submission.object_id, identifier=entry.identifier, state=last.state)


def run(args: Namespace, screen: Screen) -> int:
    """Process the files, or the one object without a file, that the arguments name."""
    is_watching = screen.is_terminal if args.wait is None else args.wait
    work = Run(AsyncClient(args.url), args.operations, options_of(args), is_watching=is_watching)
    try:
        with reporter_for(screen) as reporter:
            asyncio.run(work.process(entries_of(args), reporter if is_watching else Silence()))
    except KeyboardInterrupt:
        return interrupted(work, screen)
    tell(work, screen, is_watching=is_watching)
    return max((ending.exit_code for ending in work.endings), default=exits.COMPLETED)


def entries_of(args: Namespace) -> list[Entry]:
    """Name what is to be submitted."""
    if not args.files:
        return [Entry(name=args.identifier, identifier=args.identifier, path=None)]
    return [
        Entry(name=str(path), identifier=args.identifier or path.name, path=path) for path in dict.fromkeys(args.files)
    ]


def options_of(args: Namespace) -> ProcessOptions:
    """Take over the options that were given."""
    options = ProcessOptions()
    if args.has_data:
        options["data"] = args.data
    if args.source is not None:
        options["source"] = args.source
    if args.params:
        options["params"] = args.params
    if args.metadata:
        options["metadata"] = args.metadata
    if args.tags:
        options["tags"] = args.tags
    if args.priority is not None:
        options["priority"] = args.priority
    if args.not_before is not None:
        options["not_before"] = args.not_before
    if args.idempotency_key is not None:
        options["idempotency_key"] = args.idempotency_key
    return options


def tell(work: Run, screen: Screen, *, is_watching: bool) -> None:
    """Write results, ids or JSON to standard output, and what went wrong to standard error."""
    for ending in work.endings:
        screen.emit(line_of(ending, work.submissions.get(ending.name)))
        if not is_watching and ending.object_id is not None:
            screen.say(ending.object_id)
    tell_failures([ending for ending in work.endings if ending.progress and ending.exit_code], screen)
    tell_errors([ending for ending in work.endings if ending.error], screen)


def tell_failures(failed: Sequence[Ending], screen: Screen) -> None:
    """Write the table of objects that ended, but not well, and what to do about them."""
    rows = [(ending.name, ending.state, *reason) for ending in failed for reason in reasons_of(ending.progress)]
    if rows:
        example = failed[0].object_id
        screen.note("\n" + "\n".join(aligned(("OBJECT", "STATE", "OPERATION", "ATTEMPT", "REASON"), rows)))
        screen.note(f"Look closer with `objproc show {example}`, run again with `objproc retry {example}`.")


def tell_errors(broken: Sequence[Ending], screen: Screen) -> None:
    """Write what kept objects from being submitted or followed, and what to do about it."""
    for ending in broken:
        screen.note(f"{ending.name}: {ending.error}")
    for advice in dict.fromkeys(exits.exit_and_advice(ending.error)[1] for ending in broken if ending.error):
        screen.note(advice)


def reasons_of(progress: Progress | None) -> list[tuple[object, object, object]]:
    """Say why an object did not complete: operation, attempt, reason."""
    if progress is None:
        return []
    failed = [item for item in progress.operations if item.error is not None]
    return [(item.operation, item.attempt, item.error) for item in failed] or [(None, None, progress.error)]


def line_of(ending: Ending, submission: Submission | None) -> dict[str, object]:
    """Make an object's JSON line: what the server said last of it, and the name given here."""
    answer = ending.progress or submission
    line: dict[str, object] = {"name": ending.name, **(answer.raw if answer else {})}
    if ending.error is not None:
        code = getattr(ending.error, "code", type(ending.error).__name__)
        line["error"] = {"code": code, "detail": str(ending.error)}
    return line


def interrupted(work: Run, screen: Screen) -> int:
    """Say what goes on without this command."""
    over = {ending.name for ending in work.endings}
    going_on = [submission.object_id for name, submission in work.submissions.items() if name not in over]
    screen.note("\nInterrupted.")
    if going_on:
        screen.note(f"{len(going_on)} submitted object(s) continue on the server; follow with:")
        for object_id in going_on:
            screen.note(f"  objproc watch {object_id}")
    return exits.INTERRUPTED
