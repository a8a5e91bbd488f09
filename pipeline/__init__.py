"""A listening history that keeps itself: Spotify → CSV partitions → PostgreSQL → dbt → dashboard.

`luigi --module pipeline <Task>` finds every task through this module; pipeline/workflow.py is the contents page.
"""

import atexit
import gc

from pipeline import interrupts  # isort: skip  before the imports, which take half a second

interrupts.install()

from pipeline import startup  # isort: skip  what luigi.cfg lacks is said before anything needs it
from pipeline import alerts
from pipeline.alerts.tasks import SendSummary
from pipeline.extract.history.tasks import ExtractHistory
from pipeline.extract.recent import ExtractRecent
from pipeline.load.genres import EnrichGenres
from pipeline.load.history import CopyHistory
from pipeline.load.saved_tracks import SyncSavedTracks
from pipeline.load.tasks import CopyToStaging
from pipeline.transform.tasks import DbtRun, DbtTest
from pipeline.visualize.publish import PublishDashboard
from pipeline.visualize.tasks import RenderDashboard
from pipeline.workflow import ImportHistory, PollAccounts, RebuildStaging, ReplayResponses, RunPipeline, SpotifyPolled

startup.begin()
alerts.install()
# The interpreter's last collections would search all of Luigi for nothing, for a fifth of a quiet slot's time.
atexit.register(gc.freeze)

__all__ = [
    "CopyHistory",
    "CopyToStaging",
    "DbtRun",
    "DbtTest",
    "EnrichGenres",
    "ExtractHistory",
    "ExtractRecent",
    "ImportHistory",
    "PollAccounts",
    "PublishDashboard",
    "RebuildStaging",
    "RenderDashboard",
    "ReplayResponses",
    "RunPipeline",
    "SendSummary",
    "SpotifyPolled",
    "SyncSavedTracks",
]
