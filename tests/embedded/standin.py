"""A stand-in for a service: `python standin.py <service> [how]`; the api answers /health, the others wait.

how: `stubborn` ignores SIGTERM, `failing` ends at once, `parent` starts a child and tells its pid.
"""

import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(service: str, how: str = "") -> None:
    say(f"{service} says hello with CACHE_DIR={os.environ.get('CACHE_DIR')}")
    if how == "failing":
        sys.exit("there is no such table")
    if how == "parent":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        say(f"child={child.pid}")
    signal.signal(signal.SIGTERM, signal.SIG_IGN if how == "stubborn" else lambda *_: sys.exit(0))
    if service == "api":
        HTTPServer(("127.0.0.1", int(os.environ["API_PORT"])), Health).serve_forever()
    while True:
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
