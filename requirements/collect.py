"""Print the third-party dependencies of the distributions named as arguments, one a line."""

import sys
import tomllib
from pathlib import Path

for distribution in sys.argv[1:]:
    project = tomllib.loads(Path(distribution, "pyproject.toml").read_text())["project"]
    for requirement in project["dependencies"]:
        if not requirement.startswith("objproc"):
            print(requirement)
