{{ config(materialized='view') }}

-- How much is known of each local day: as much as of the worst of its hours.
with

hours as (

    select * from {{ ref('fct_capture_hours') }}

)

select
    account,
    date_local,
    count(*)::integer as hours,
    count(*) filter (where completeness = 'complete')::integer as hours_complete,
    count(*) filter (where completeness = 'possibly_lossy')::integer as hours_possibly_lossy,
    count(*) filter (where completeness = 'not_polled')::integer as hours_not_polled,
    case
        when bool_or(completeness = 'possibly_lossy') then 'possibly_lossy'
        when bool_or(completeness = 'not_polled') then 'not_polled'
        else 'complete'
    end as completeness
from hours
group by account, date_local
