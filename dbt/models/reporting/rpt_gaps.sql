-- Where plays may have been lost, in the listener's time.
select
    account,
    {{ local_time('begins_at') }} as begins_at_local,
    {{ local_time('ends_at') }} as ends_at_local,
    round(extract(epoch from ends_at - begins_at) / 3600, 1)::numeric(10, 1) as hours,
    why,
    case why
        when 'window_overrun' then 'more was played than the 50 that Spotify keeps'
        when 'short_page' then 'Spotify told of less than before: what lay between is not known'
        when 'late_plays' then 'late plays came, and more may have come when the 50 were full'
        when 'unreadable_items' then 'Spotify returned what is no play'
    end as explanation,
    is_open,
    closed_at,
    found_at,
    begins_at,
    ends_at
from {{ ref('fct_gaps') }}
