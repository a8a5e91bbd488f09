{{ config(materialized='view') }}

/*
Where plays may have been lost:

  window_overrun     a full page without a play that was known before: between the last one known and its oldest
  short_page         the same of a page of less than 50, which proves nothing and so is not taken for proof either
  unreadable_items   a page with more entries that are no plays than the page before: since that one

Plays arrive late. Those that ended within late_arrival_hours before the poll before may have been on their way then, so
a gap begins that much earlier. It is closed when imported history covers it from end to end.

A view over a few rows of the ledger: it is true in a slot without news too, in which no dbt is started.
*/
with

polls as not materialized (

    select * from {{ ref('stg_spotify__polls') }}

),

found as (

    select
        pages.account,
        pages.fetched_at as found_at,
        pages.slot as found_in_slot,
        known.played_at as known_until,
        coalesce(
            least(
                case when pages.is_overlapping is false then known.played_at end,
                poll_before.fetched_at - interval '{{ var("late_arrival_hours") }} hours',
                pages.oldest_played_at
            ),
            pages.fetched_at
        ) as begins_at,
        case when pages.unreadable > 0 then pages.fetched_at else pages.oldest_played_at end as ends_at,
        case
            when pages.is_overlapping is not false then 'unreadable_items'
            when pages.items >= 50 then 'window_overrun'
            else 'short_page'
        end as why
    from polls as pages
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
        select
            polls.fetched_at,
            polls.unreadable
        from polls
        where
            polls.account = pages.account
            and polls.fetched_at < pages.fetched_at
            and polls.oldest_played_at is not null
        order by polls.fetched_at desc
        limit 1
    ) as poll_before on true
    where
        (pages.is_overlapping is false or pages.unreadable > 0)
        and (pages.is_overlapping is false or pages.unreadable > coalesce(poll_before.unreadable, 0))

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
