"""`python -m pipeline metrics`: how things stand, for Prometheus."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pipeline import config


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "metrics",
        help="how things stand, for Prometheus: printed, into a file, or served",
        epilog="Without an option they are printed. docs/operation.md has every metric, and rules to alert by.",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--output", type=Path, help="a file for node_exporter's textfile collector: its name ends in .prom"
    )
    where.add_argument("--port", type=_port, help="serve them there, gathered at each scrape, until SIGTERM")
    parser.add_argument("--address", default="127.0.0.1", help="with --port: where to listen (127.0.0.1)")


def run(options: argparse.Namespace) -> int:
    from pipeline.extract.files import write_atomic
    from pipeline.status.metrics import exposition, serve

    accounts = config.spotify().account_names
    try:
        if options.port is not None:
            where = f"http://{options.address}:%d/metrics"
            serve(accounts, options.address, options.port, lambda port: print(where % port, flush=True))
        elif options.output:
            # Others may read it, whatever the umask: node_exporter is another user.
            write_atomic(options.output.absolute(), exposition(accounts))
            options.output.chmod(0o644)
        else:
            sys.stdout.buffer.write(exposition(accounts))
    except OSError as error:
        print(f"no metrics: {error}", file=sys.stderr)
        return 1
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: write 1 to 65535, or 0 for one that is free")
    return int(text)
