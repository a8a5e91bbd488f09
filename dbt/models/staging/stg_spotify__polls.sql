select
    account,
    slot,
    fetched_at,
    outcome,
    items,
    new_plays,
    unreadable,
    new_unreadable,
    oldest as oldest_played_at,
    newest as newest_played_at,
    overlap as is_overlapping,
    late_from,
    calls_used,
    reason,
    paused_until,
    token_days_left
from {{ source('spotify', 'polls') }}
