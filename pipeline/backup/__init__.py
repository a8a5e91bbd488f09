"""data/ in one file, and back. Nothing else has to be kept: the database, the page and dbt's files are made from it.

contents.py   which files, in an order in which slots may run meanwhile
archive.py    the archive: written, and checked
restore.py    from an archive to a data folder, a database and a page
"""
