"""`make demo`: the whole system, started, put to work on the sample objects, and stopped again.

It runs on embedded servers in a temporary folder, whatever servers the environment names.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from objproc_client import AsyncClient, ObjprocError
from objproc_client.command.audience import reporter_for
from objproc_client.command.screen import Screen
from objproc_embedded.demo_story import Story, tell_story
from objproc_embedded.errors import StackError
from objproc_embedded.samples import SAMPLES, write_samples
from objproc_embedded.servers import KINDS
from objproc_embedded.services import COMMANDS
from objproc_embedded.stack import Stack
from objproc_embedded.up import until_told

WORK_TIMEOUT_S = 180.0
TAIL_LINES = 20
INTERRUPTED = 130
OWN_SERVERS = dict.fromkeys([name for kind in KINDS for name in kind.replaced_by], "")


class Demo:
    """One run: what was told, and what went wrong."""

    def __init__(self, folder: Path) -> None:
        self.stories: list[Story] = []
        self.troubles: list[str] = []
        self._folder = folder
        self._began_s = time.monotonic()
        self.stack = Stack(folder / "data", env={**OWN_SERVERS, "API_HOST": "127.0.0.1"})

    @property
    def is_good(self) -> bool:
        """Whether every object came out as it should."""
        return not self.troubles and not any(story.faults for story in self.stories)

    def elapsed_s(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._began_s

    async def run(self) -> None:
        """Start, work, stop."""
        print(f"starting Valkey, PostgreSQL, S3 and {', '.join(COMMANDS)} in {self._folder}", flush=True)
        async with self.stack as stack:
            print(f"ready {stack.url} after {self.elapsed_s():.1f} s", flush=True)
            write_samples(self._folder / "samples")
            try:
                async with asyncio.timeout(WORK_TIMEOUT_S):
                    await self._work(stack.url)
            except TimeoutError:
                self.troubles.append(f"not done after {WORK_TIMEOUT_S:.0f} s")
            if not self.is_good:
                self._tell_logs()
        print(f"stopped after {self.elapsed_s():.1f} s")

    def close(self) -> None:
        """Tell how the objects came out, what went wrong, and the one line that sums it up."""
        for story in self.stories:
            print("", *story.lines(), sep="\n")
        for trouble in self.troubles:
            print(f"\n{trouble}", file=sys.stderr)
        completed = sum(story.details.state == "COMPLETED" for story in self.stories)
        artifacts = sum(len(story.details.artifacts) for story in self.stories)
        print(
            f"\ndemo: {completed} objects completed, {len(SAMPLES) - completed} failed, "
            f"{artifacts} artifacts, {self.elapsed_s():.1f} s",
            flush=True,
        )

    async def _work(self, url: str) -> None:
        """Process all samples at the same time."""
        folder = self._folder / "samples"
        with reporter_for(Screen()) as reporter:
            async with AsyncClient(url) as client:
                told = (tell_story(client, sample, folder, reporter) for sample in SAMPLES)
                ends = await asyncio.gather(*told, return_exceptions=True)
        for sample, end in zip(SAMPLES, ends, strict=True):
            if isinstance(end, Story):
                self.stories.append(end)
            elif isinstance(end, ObjprocError | OSError):
                self.troubles.append(f"{sample.name}: {end}")
            else:
                raise end

    def _tell_logs(self) -> None:
        for name in COMMANDS:
            print(f"--- the end of {name}'s log", *self.stack.log(name).tail(TAIL_LINES), sep="\n", file=sys.stderr)


def main() -> int:
    """Run the demo; 0 when every object came out as it should, 1 when not, 130 when interrupted."""
    folder = Path(tempfile.mkdtemp(prefix="objproc-demo-"))
    try:
        demo = Demo(folder)
        if not asyncio.run(until_told(demo.stack, demo.run())):
            print("interrupted; everything is stopped", file=sys.stderr)
            return INTERRUPTED
        demo.close()
        return 0 if demo.is_good else 1
    except (StackError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
