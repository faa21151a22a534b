"""The `objproc` command: `python -m objproc_client` is the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from objproc_client.command import exits
from objproc_client.command.arguments import parse
from objproc_client.command.screen import Screen


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; SystemExit(2) when the command line is wrong."""
    args = parse(arguments)
    screen = Screen(is_json=args.json)
    try:
        code: int = args.run(args, screen)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        screen.note("\nInterrupted; work that was submitted continues on the server.")
        return exits.INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (`| head`); python would complain once more while it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.BROKEN_PIPE
    except exits.EXPECTED as error:
        code, advice = exits.exit_and_advice(error)
        screen.note(f"objproc: {error}\n{advice}")
        return code


if __name__ == "__main__":
    sys.exit(main())
