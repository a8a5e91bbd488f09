"""Who is told of what: incidents, each told once, and summaries of weeks. Over Slack, from files that outlive a run.

events.py      what Luigi and the tasks say → incidents
incidents.py   what is wrong now, since when, and whether it has been told (data/alerts/incidents.json)
advice.py      what to do about it
messages.py    an incident in words: at first, after a day, when it is over
outbox.py      messages on their way (data/alerts/outbox), until each service has taken them
services.py    the services: Slack, and the URLs in NOTIFY_URLS with apprise
slack.py       one message to Slack
summary.py     a week, a month or a year in words; tasks.py has the task that sends it

Telling never makes anything worse: whatever goes wrong here is logged and swallowed, and every secret that is set is
taken out of the text first.
"""

from pipeline.alerts.events import install
from pipeline.alerts.services import tell
from pipeline.alerts.telling import tell_exit_code, tell_what_is_due

__all__ = ["install", "tell", "tell_exit_code", "tell_what_is_due"]
