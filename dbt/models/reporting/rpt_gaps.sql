-- Where plays may have been lost, in the listener's time.
select
    account,
    {{ local_time('begins_at') }} as begins_at_local,
    {{ local_time('ends_at') }} as ends_at_local,
    round(extract(epoch from ends_at - begins_at) / 3600, 1)::numeric(10, 1) as hours,
    why,
    is_open,
    closed_at,
    found_at,
    begins_at,
    ends_at
from {{ ref('fct_gaps') }}
