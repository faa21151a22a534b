"""Write the golden files anew: `cd tests && ../.venv/bin/python -m wire.rewrite_golden`.

Only for a shape that never left this repository. A shape that did gets a new version and an upcast instead, and its
old golden file stays, under a name that says its version.
"""

from __future__ import annotations

from wire.samples import GOLDEN, samples

if __name__ == "__main__":
    for name, (body, _, _) in samples().items():
        (GOLDEN / f"{name}.json").write_bytes(body)
