{{ config(materialized='view') }}

/*
Where plays may have been lost: between the plays known before and the oldest of a page that holds none of them. A full
page means that Spotify's window of 50 was overrun; a short one proves nothing, so it is not taken for proof either.

Plays arrive late. Those that ended within late_arrival_hours before the poll before may have been on their way then, so
a gap begins that much earlier. It is closed when imported history covers it from end to end.

A view over a few rows of the ledger: it is true in a slot without news too, in which no dbt is started.
*/
with

polls as (

    select * from {{ ref('stg_spotify__polls') }}

),

pages_without_overlap as (

    select * from polls
    where is_overlapping is false and items > 0

),

found as (

    select
        pages.account,
        pages.fetched_at as found_at,
        pages.slot as found_in_slot,
        known.played_at as known_until,
        coalesce(
            least(known.played_at, poll_before.fetched_at - interval '{{ var("late_arrival_hours") }} hours'),
            pages.oldest_played_at
        ) as begins_at,
        pages.oldest_played_at as ends_at,
        case when pages.items >= 50 then 'window_overrun' else 'short_page' end as why
    from pages_without_overlap as pages
    left join lateral (
        select plays.played_at
        from {{ ref('stg_spotify__plays') }} as plays
        where
            plays.account = pages.account
            and plays.played_date_utc <= (pages.oldest_played_at at time zone 'UTC')::date
            and plays.played_at < pages.oldest_played_at
            and plays.captured_at < pages.fetched_at
        order by plays.played_date_utc desc, plays.played_at desc
        limit 1
    ) as known on true
    left join lateral (
        select polls.fetched_at
        from polls
        where polls.account = pages.account and polls.fetched_at < pages.fetched_at and polls.items > 0
        order by polls.fetched_at desc
        limit 1
    ) as poll_before on true

),

imported as (

    select
        account,
        range_agg(tstzrange(begins_at, ends_at, '[]')) as spans,
        max(imported_at) as imported_at
    from {{ source('spotify', 'history_spans') }}
    group by account

)

select
    found.account,
    found.begins_at,
    found.ends_at,
    found.known_until,
    found.why,
    found.found_at,
    found.found_in_slot,
    imported.spans @> tstzrange(found.begins_at, found.ends_at, '[]') is not true as is_open,
    case
        when imported.spans @> tstzrange(found.begins_at, found.ends_at, '[]') then imported.imported_at
    end as closed_at
from found
left join imported on found.account = imported.account
