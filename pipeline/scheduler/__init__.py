"""Luigi's scheduler: which one a run uses, and luigid.

choice.py   which luigi.cfg and which scheduler
remote.py   the way to luigid, which may go away in the middle of a run
luigid.py   luigid itself, with the visualiser
state.py    its state file
forgetting.py  its tasks of an account, removed
origins.py  which requests luigid answers
history.py  its history of tasks, in PostgreSQL
"""
