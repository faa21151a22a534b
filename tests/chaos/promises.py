"""What a client was told against what the archive says: I1, I8, I10."""

from __future__ import annotations

from chaos.archive import Known
from chaos.findings import Findings
from chaos.journal import Journal, Order, Sighting

PROGRESS = "progress"
EFFECT_OF = {"cancel": "CancelRequested", "retry": "ObjectRetried", "delete": "ObjectDeleted"}
OVER = {"ObjectCompleted", "ObjectFailed", "ObjectCancelled", "ObjectDeleted"}


def check_promises(journal: Journal, known: Known, findings: Findings) -> int:
    """Everything that was acknowledged; how many acknowledged commands are lost."""
    lost = 0
    taken: set[str] = set()
    for entry in journal.objects.values():
        is_there = "ObjectSubmitted" in known.types.get(entry.object_id, ())
        if not is_there and journal.is_forgiven(entry):
            taken.add(entry.object_id)
            continue
        findings.expect("I1", is_there, f"{entry.object_id} ({entry.kind}) was acknowledged and is not in the archive")
        lost += not is_there
    for order in journal.orders:
        is_there = _is_obeyed(order, known) or journal.is_forgiven(order)
        text = f"{order.verb} of {order.object_id} ({order.command_id}) was acknowledged and is not in the archive"
        findings.expect("I1", is_there, text)
        lost += not is_there
    for object_id, promise in journal.broken_promises:
        if object_id not in taken:
            findings.blame("I1", f"{object_id}: {promise}")
    if journal.forgiven:
        findings.notes.append(
            f"{len(taken)} acknowledged objects were in suffixes that {len(journal.forgiven)} failovers lost"
        )
    for key, object_ids in journal.keys.items():
        names = sorted(set(object_ids))
        findings.expect("I10", len(names) == 1, f"key {key} names {names}")
    for sighting in journal.sightings:
        if sighting.object_id in known.names:
            _check_sighting(sighting, known.names[sighting.object_id], findings)
    return lost


def _is_obeyed(order: Order, known: Known) -> bool:
    """By its own command where that was still to come; else by an event of its kind, whoever sent that."""
    types = known.types.get(order.object_id, frozenset())
    if order.command_id is not None and order.command_id in known.causes:
        return True
    # a second delete, or a cancel of what somebody else cancelled meanwhile, is needless
    is_needless = order.command_id is None or order.verb == "delete"
    return is_needless and EFFECT_OF[order.verb] in types


def _check_sighting(sighting: Sighting, names: list[str], findings: Findings) -> None:
    seen = sighting.events
    findings.look("I8", len(seen))
    versions = [version for version, _ in seen]
    if versions != list(range(1, len(versions) + 1)):
        findings.blame("I8", f"{sighting.object_id}: a watcher saw versions {versions}")
        return
    wrong = [version for version, name in seen if version > len(names) or names[version - 1] != name]
    if wrong:
        findings.blame("I8", f"{sighting.object_id}: a watcher saw something else at versions {wrong}")
    if not sighting.is_over:
        findings.blame("I8", f"{sighting.object_id}: a watcher never saw the end, only {len(seen)} of {len(names)}")
    elif seen[-1][1] not in OVER:
        findings.blame("I8", f"{sighting.object_id}: the stream ended after {seen[-1][1]}")
