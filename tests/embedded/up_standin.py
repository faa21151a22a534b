"""`objproc up` with stand-ins for the services: `python up_standin.py DATA PORT`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from embedded.support import COMMANDS
from objproc_embedded import up

if __name__ == "__main__":
    sys.exit(up.main(Path(sys.argv[1]), int(sys.argv[2]), commands=COMMANDS))
