"""What a check looked at and what it found wrong, by invariant."""

from __future__ import annotations

from collections import Counter

NAMED_MAX = 5

INVARIANTS = {
    "I1": "every acknowledged command is in the archive",
    "I2": "one outcome for each object, one result for each attempt",
    "I3": "no logical event twice",
    "I4": "seqs gapless and chained by hash, versions 1..n",
    "I5": "every table is the fold of the archive, which is what Redis holds",
    "I6": "every artifact is in S3 with its size and digest",
    "I7": "nothing was queued before its parents succeeded",
    "I8": "watchers saw each event once, in order, to the end",
    "I9": "nothing is left over once the work is done",
    "I10": "one idempotency key, one object",
    "I11": "one tenant for event, object and artifact",
    "I12": "at rest within 60 s of the last fault",
}


class Findings:
    """Counts by invariant; the first violations by name."""

    def __init__(self) -> None:
        self.looked_at: Counter[str] = Counter()
        self.wrong: dict[str, list[str]] = {name: [] for name in INVARIANTS}
        self.notes: list[str] = []

    def look(self, invariant: str, count: int = 1) -> None:
        """So many more things were looked at."""
        self.looked_at[invariant] += count

    def blame(self, invariant: str, text: str) -> None:
        """This is a violation."""
        self.wrong[invariant].append(text)

    def expect(self, invariant: str, holds: bool, text: str) -> None:
        """Look at one thing."""
        self.look(invariant)
        if not holds:
            self.blame(invariant, text)

    @property
    def is_clean(self) -> bool:
        """Whether every invariant holds."""
        return not any(self.wrong.values())

    def lines(self) -> list[str]:
        """One line for each invariant, and the first violations below it."""
        lines = []
        for name, meaning in INVARIANTS.items():
            wrong = self.wrong[name]
            verdict = f"{len(wrong)} VIOLATED" if wrong else "holds" if self.looked_at[name] else "nothing to look at"
            lines.append(f"{name:>4}  {verdict:<18} {self.looked_at[name]:>8} looked at  {meaning}")
            lines += [f"      - {text}" for text in wrong[:NAMED_MAX]]
        return lines + [f"note  {note}" for note in self.notes]
