{{ config(materialized='view') }}

-- What was heard in each hour of the week, by month of the year: all that the hours of a whole history are told from.
select
    account,
    month,
    iso_weekday,
    played_hour,
    sum(plays)::bigint as plays,
    sum(ms_played)::bigint as ms_played,
    sum(ms_estimated)::bigint as ms_estimated
from {{ ref('fct_listening_hours') }}
group by account, month, iso_weekday, played_hour
