"""The demo's story of one object: uploaded, processed, mended if it was broken, and what came out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objproc_client import AsyncClient, ObjectDetails, Progress
from objproc_client.command.reporters import Ending, Reporter
from objproc_client.command.screen import legible, size, took
from objproc_embedded.samples import Sample

PLAN = ("export",)  # and with it everything before it
DOCUMENTS = ("validation.json", "metadata.json", "profile.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """How it ended, and what was not as it should be."""

    sample: Sample
    details: ObjectDetails
    headline: str
    failure: str | None
    """Why the broken content failed, before it was mended."""
    faults: Sequence[str]

    def lines(self) -> list[str]:
        """The story for people."""
        done = self.details
        operations = (f"{op.operation} {took(op.started_at, op.finished_at)}" for op in done.operations)
        total = size(sum(artifact.size or 0 for artifact in done.artifacts))
        names = ", ".join(artifact.name for artifact in done.artifacts)
        lines = [
            f"{self.sample.name} · {self.sample.about}",
            f"  state       {done.state}" + (f": {done.error}" if done.error else ""),
            f"  operations  {' · '.join(operations)}",
            f"  artifacts   {len(done.artifacts)}, {total}: {names}",
        ]
        if self.failure:
            lines.insert(1, f"  at first    FAILED: {self.failure}")
        if self.headline:
            lines.append(f"  results     {self.headline}")
        return [legible(line) for line in [*lines, *(f"  WRONG       {fault}" for fault in self.faults)]]


async def tell_story(client: AsyncClient, sample: Sample, folder: Path, reporter: Reporter) -> Story:
    """Take one sample through the system; `folder` holds the samples and takes what is downloaded."""
    await client.put_content(sample.name, folder / sample.name)
    submission = await client.process(sample.name, PLAN)
    reporter.submitted(sample.name, submission)
    last_event_id = await _follow(client, sample, submission.object_id, None, reporter)
    failure = None
    if sample.mend:
        broken = await client.progress(submission.object_id)
        failure = _reason(broken)
        reporter.ended(Ending(name=sample.name, object_id=submission.object_id, progress=broken))
        await client.put_content(sample.name, folder / "mended" / sample.name)
        await client.retry(submission.object_id)
        await _follow(client, sample, submission.object_id, last_event_id, reporter)
    details = await client.get_object(submission.object_id)
    reporter.ended(Ending(name=sample.name, object_id=submission.object_id, progress=details))
    documents = await _documents(client, details, folder)
    return Story(
        sample=sample,
        details=details,
        headline=_headline(*documents) if documents else "",
        failure=failure,
        faults=_faults(sample, details, documents, failure),
    )


async def _follow(
    client: AsyncClient, sample: Sample, object_id: str, after: str | None, reporter: Reporter
) -> str | None:
    """Report every event until the object rests; the id of the last one."""
    async for event in client.watch(object_id, after):
        reporter.happened(sample.name, event)
        after = event.id or after
    return after


async def _documents(client: AsyncClient, details: ObjectDetails, folder: Path) -> list[dict[str, Any]]:
    """The three documents with the results, their digests checked; nothing where one is missing."""
    digests = {artifact.name: artifact.sha256 for artifact in details.artifacts}
    if not digests.keys() >= set(DOCUMENTS):
        return []
    paths = [folder / f"{details.object_id} {name}" for name in DOCUMENTS]
    for name, path in zip(DOCUMENTS, paths, strict=True):
        await client.download(details.object_id, name, path, sha256=digests[name])
    return [json.loads(path.read_text()) for path in paths]


def _headline(validation: dict[str, Any], metadata: dict[str, Any], profile: dict[str, Any]) -> str:
    rejects = ", ".join(f"{count} {code}" for code, count in validation["rejects"]["by_code"].items())
    personal = ", ".join(metadata["pii_columns"]) or "none"
    return " · ".join(
        [
            f"{validation['rows']:,} rows of {len(validation['columns'])} columns",
            f"{validation['rows_rejected']:,} rejected" + (f" ({rejects})" if rejects else ""),
            f"personal data: {personal}",
            f"quality {profile['quality']['score']}",
            f"{len(profile['findings'])} findings",
        ]
    )


def _reason(broken: Progress) -> str | None:
    faults = [broken.error, *(operation.error for operation in broken.operations)]
    return next((str(fault) for fault in faults if fault), None) if broken.state == "FAILED" else None


def _faults(
    sample: Sample, details: ObjectDetails, documents: Sequence[dict[str, Any]], failure: str | None
) -> list[str]:
    expectations = {
        "it should be completed": details.state == "COMPLETED",
        "its results should be there": bool(documents),
        "its broken content should have failed with a reason": failure is not None or not sample.mend,
        "its bad rows should be reported": not sample.is_messy
        or bool(documents and documents[0]["rows_rejected"] and documents[0]["rejects"]["by_code"]),
    }
    return [text for text, is_met in expectations.items() if not is_met]
