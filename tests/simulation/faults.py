"""What goes wrong in a schedule, and how often: drawn from the seed, so that calm and wild schedules are both tried."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

FAULTS_UNTIL_S = (5.0, 16.0)
JUMPS_S = (-3600.0, 3600.0, -30.0, 30.0)


@dataclass(frozen=True, slots=True)
class Switches:
    """Which share of the schedules meets faults that take back what was acknowledged, 0.0 to 1.0."""

    loses_suffix: float = 0.2
    """Redis goes back to an earlier state, as a failover to a replica that lagged."""
    loses_everything: float = 0.08
    """Redis comes back empty."""


LASTING = Switches(loses_suffix=0.0, loses_everything=0.0)
"""Redis never goes back."""
LOSSY = Switches(loses_suffix=0.7, loses_everything=0.3)
"""Redis goes back in most schedules."""


@dataclass(slots=True, kw_only=True)
class Faults:
    """Rates are per port call. `is_on` goes off for good when the schedule has to come to rest."""

    until_s: float
    crash: float
    freeze: float
    fails_before: float
    fails_after: float
    cut: float
    """A call that concerns several partitions reaches only some."""
    twice: float
    """The call arrives twice; only the second answer comes back."""
    slow: float
    outlives: float
    """Share of the calls under way that take effect although their caller died."""
    is_on: bool = True


def draw_faults(chance: Random) -> Faults:
    """The faults of one schedule."""
    return Faults(
        until_s=chance.uniform(*FAULTS_UNTIL_S),
        crash=chance.choice((0.0, 0.004, 0.012, 0.03)),
        freeze=chance.choice((0.0, 0.003, 0.01)),
        fails_before=chance.choice((0.0, 0.02, 0.1)),
        fails_after=chance.choice((0.05, 0.05, 0.1, 0.2)),
        cut=chance.choice((0.0, 0.1, 0.3)),
        twice=chance.choice((0.0, 0.02, 0.08)),
        slow=chance.choice((0.0, 0.02, 0.08)),
        outlives=0.3,
    )
