"""data/ in one file, and back. Nothing else has to be kept: the database, the page and dbt's files are made from it.

allowed.py    which files may be in a backup, and their modes
contents.py   these files, in an order in which slots may run meanwhile
manifest.py   the list of files at the end of an archive
archive.py    an archive: written, and checked
unpacking.py  reading of an archive from elsewhere, within limits
restore.py    from an archive to a data folder, a database and a page
"""
