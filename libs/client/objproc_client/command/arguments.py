"""The command line: commands, options and what their texts mean."""

from __future__ import annotations

from argparse import (
    SUPPRESS,
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    Namespace,
    RawDescriptionHelpFormatter,
)
from collections.abc import Callable, Sequence
from pathlib import Path

from objproc_client.command import artifacts, objects, process, service, watching
from objproc_client.command.screen import Screen
from objproc_client.command.values import json_value, merged, moment, names, path_value

DEFAULT_OPERATIONS = ("analyze",)
STATES = ("PENDING", "QUEUED", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED", "DELETED")
EPILOG = """\
exit codes: 0 completed, 1 failed, 2 wrong usage, 3 server not reachable, 130 interrupted
environment: OBJPROC_URL (default http://127.0.0.1:8000), OBJPROC_API_KEY
ID is an object id, or an identifier, which stands for its newest run."""

Command = Callable[[Namespace, Screen], int]


def parse(arguments: Sequence[str] | None) -> Namespace:
    """Read the command line; leaves with exit code 2 and a text on standard error when it is wrong."""
    parser, process_parser = build()
    args = parser.parse_args(arguments, Namespace(url=None, json=False))
    if args.run is process.run:
        settle_process(args, process_parser)
    return args


def build() -> tuple[ArgumentParser, ArgumentParser]:
    """Build the parser, and the one of `process`, which has rules between its options."""
    shared = ArgumentParser(add_help=False, argument_default=SUPPRESS)
    shared.add_argument("--url", metavar="URL", help="the server (default: $OBJPROC_URL, else http://127.0.0.1:8000)")
    shared.add_argument("--json", action="store_true", help="write one JSON object a line, and nothing else")
    parser = ArgumentParser(
        prog="objproc",
        description="Process objects and follow them.",
        epilog=EPILOG,
        parents=[shared],
        formatter_class=RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, run: Command, text: str, *, takes_id: bool = False) -> ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, parents=[shared])
        added.set_defaults(run=run)
        if takes_id:
            added.add_argument("id", metavar="ID", help="object id, or identifier (its newest run)")
        return added

    up = add("up", service.up, "run the whole system here, in the foreground, until Ctrl-C")
    up.add_argument("--data", type=Path, metavar="DIR", help="where it keeps its data")
    up.add_argument("--port", type=int, metavar="N", help="port of the server")
    process_parser = add("process", process.run, "submit files, or one object without a file")
    add_process_options(process_parser)
    add("status", service.status, "show services, partitions, backlog and workers")
    add("operations", service.operations, "list the operations that can run")
    listing = add("list", objects.list_objects, "list objects, newest first")
    listing.add_argument("--state", type=str.upper, choices=STATES)
    listing.add_argument("--identifier", metavar="NAME")
    listing.add_argument("--limit", type=positive, default=20, metavar="N", help="default: 20")
    add("show", objects.show, "show one object with its operations and artifacts", takes_id=True)
    watch = add("watch", watching.watch, "follow one object until it is over", takes_id=True)
    watch.add_argument("--last-event-id", metavar="EVENT", help="begin after this event")
    add("cancel", objects.cancel, "stop an object", takes_id=True)
    add("retry", objects.retry, "run again what failed", takes_id=True)
    delete = add("delete", objects.delete, "delete an object's content and artifacts", takes_id=True)
    delete.add_argument("--force", action="store_true", help="also while it is active")
    add("events", objects.events, "show an object's history", takes_id=True)
    add("artifacts", artifacts.artifacts, "list what the operations left", takes_id=True)
    download = add("download", artifacts.download, "fetch one artifact, or all", takes_id=True)
    download.add_argument("name", nargs="?", metavar="NAME", help="default: all artifacts")
    download.add_argument("--to", type=Path, default=Path(), metavar="DIR", help="default: the current folder")
    return parser, process_parser


def add_process_options(parser: ArgumentParser) -> None:
    """Add what `process` takes."""
    add = parser.add_argument
    add("files", nargs="*", type=Path, metavar="FILE")
    add("--identifier", metavar="NAME", help="default: the file's name")
    add("--operations", type=names, default=DEFAULT_OPERATIONS, metavar="A,B", help="default: analyze")
    add("--wait", action=BooleanOptionalAction, help="follow until the end (default: on a terminal)")
    add("--params", type=path_value, action="append", default=[], metavar="OP.KEY=VALUE", help="VALUE: JSON or text")
    add("--params-json", type=json_value, default={}, metavar="JSON", help='{"operation": {"key": value}}')
    add("--metadata", type=path_value, action="append", default=[], metavar="KEY=VALUE", help="VALUE: JSON or text")
    add("--tag", dest="tags", action="append", default=[], metavar="TAG")
    add("--data", type=json_value, default=SUPPRESS, metavar="JSON", help="the document itself, in place of a file")
    add("--source", metavar="URI", help="where the server finds the content, as s3://bucket/key")
    add("--priority", type=int, metavar="N")
    add("--not-before", type=moment, metavar="TIME", help="RFC 3339; without a zone: local time")
    add("--idempotency-key", metavar="KEY", help="a repeat with the same key is the same object")


def settle_process(args: Namespace, parser: ArgumentParser) -> None:
    """Check the options of `process` against each other and merge their parts."""
    args.has_data = hasattr(args, "data")
    origins = [bool(args.files), args.has_data, args.source is not None]
    if not args.files and not args.identifier:
        parser.error("name at least one FILE, or give --identifier")
    if sum(origins) > 1:
        parser.error("the content comes from FILE, --data or --source: give one of them")
    for option in ("identifier", "idempotency_key"):
        if len(args.files) > 1 and getattr(args, option):
            parser.error(f"--{option.replace('_', '-')} names one object: give it with one FILE only")
    for path in args.files:
        if not path.is_file():
            parser.error(f"{path} is {'a folder' if path.is_dir() else 'not there'}: give files that exist")
    if not isinstance(args.params_json, dict):
        parser.error("--params-json takes a JSON object")
    try:
        args.params = merged(args.params_json, args.params)
        args.metadata = merged({}, args.metadata)
    except ValueError as error:
        parser.error(str(error))


def positive(text: str) -> int:
    """Read a number from 1."""
    if not text.isascii() or not text.isdigit() or not int(text):
        raise ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)
