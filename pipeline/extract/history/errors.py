"""What can go wrong with an import. Every message names the file and says what to do."""

from __future__ import annotations

from pipeline.extract.errors import CommandRefused


class ExportRefused(CommandRefused):
    """What was handed over is no streaming history, or cannot be read whole; nothing of it was imported."""


class ImportIncomplete(Exception):
    """Rows that could not be put into their partitions; all others were. The same command goes on from there."""
