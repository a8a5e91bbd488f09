"""python -m tests.containers.metabase: the sample Metabase as a container's program, on port 3000."""

from __future__ import annotations

import signal

from tests.containers.reachable import open_to_containers
from tests.metabase import SampleMetabase

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    with open_to_containers(SampleMetabase(), 3000):
        signal.pause()
