"""The whole history, out of the marts and into files that other programs read. (Spotify's own data export comes in by
pipeline/extract/history.)

    plays.py         what is handed on: one definition, asked of marts.fct_plays
    tables.py        Parquet and CSV
    listenbrainz.py  the archive that ListenBrainz imports
    export.py        one export, with its receipt
"""
