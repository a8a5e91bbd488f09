{{ config(materialized='view') }}

/*
Where plays may have been lost:

  window_overrun     a full page without a play that was known before: between the last one known and its oldest
  short_page         the same of a page of less than 50, which proves nothing and so is not taken for proof either
  unreadable_items   a page with an entry that is no play and that the page before does not hold: since that one.
                     Records before schema version 2 do not name the entries: then their numbers are compared
  late_plays         a page that begins among plays which came late, of a phone that was offline: before its oldest,
                     for what came with them may have been outside the window already

A page that is lost, of a damaged record, has no number of items: plays of it may be known, so its gap begins at the
last play of the page before.

A page whose oldest play is older than one that was known before holds late plays, whatever else it is.

Plays arrive late. Those that ended within late_arrival_hours before the poll before may have been on their way then, so
a gap begins that much earlier. It is closed when imported history covers it from end to end.

A view over a few rows of the ledger: it is true in a slot without news too, in which no dbt is started.
*/
{% set new_unreadable -%}
    coalesce(pages.new_unreadable, pages.unreadable - coalesce(poll_before.unreadable, 0))
{%- endset %}

with

polls as not materialized (

    select * from {{ ref('stg_spotify__polls') }}

),

found as (

    select
        pages.account,
        pages.fetched_at as found_at,
        pages.slot as found_in_slot,
        case when pages.items is null then poll_before.newest_played_at else known.played_at end as known_until,
        coalesce(
            least(
                case when pages.is_overlapping is false then known.played_at end,
                case when pages.items is null then poll_before.newest_played_at end,
                case
                    when pages.is_overlapping is false or {{ new_unreadable }} > 0
                        then poll_before.fetched_at - interval '{{ var("late_arrival_hours") }} hours'
                end,
                case
                    when
                        pages.late_from is not null
                        or (pages.is_overlapping is false and younger.played_at is not null)
                        then pages.oldest_played_at - interval '{{ var("late_sitting_hours") }} hours'
                end,
                pages.oldest_played_at
            ),
            pages.fetched_at
        ) as begins_at,
        case
            when {{ new_unreadable }} > 0 then pages.fetched_at
            else pages.oldest_played_at
        end as ends_at,
        case
            when pages.is_overlapping is false and pages.items >= 50 then 'window_overrun'
            when pages.is_overlapping is false then 'short_page'
            when {{ new_unreadable }} > 0 then 'unreadable_items'
            else 'late_plays'
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
        select plays.played_at
        from {{ ref('stg_spotify__plays') }} as plays
        where
            plays.account = pages.account
            and plays.played_date_utc >= (pages.oldest_played_at at time zone 'UTC')::date
            and plays.played_at > pages.oldest_played_at
            and plays.captured_at < pages.fetched_at
            -- What was captured then had been played then, but for clocks that differ; without saying so, all later
            -- plays would be looked at.
            and plays.played_at < pages.fetched_at + interval '1 hour'
            and plays.played_date_utc <= ((pages.fetched_at + interval '1 hour') at time zone 'UTC')::date
        order by plays.played_date_utc asc, plays.played_at asc
        limit 1
    ) as younger on true
    left join lateral (
        select
            polls.fetched_at,
            polls.unreadable,
            polls.oldest_played_at,
            polls.newest_played_at
        from polls
        where
            polls.account = pages.account
            and polls.fetched_at < pages.fetched_at
            and polls.oldest_played_at is not null
        order by polls.fetched_at desc
        limit 1
    ) as poll_before on true
    where
        -- The index of pages that can be a loss, of which there are few.
        (pages.is_overlapping is false or pages.unreadable > 0 or pages.late_from is not null)
        and (
            pages.is_overlapping is false
            or {{ new_unreadable }} > 0
            or (
                pages.late_from < pages.oldest_played_at + interval '{{ var("late_sitting_hours") }} hours'
                -- As long as the page reaches as far back as the one before, nothing has left the window.
                and pages.oldest_played_at > poll_before.oldest_played_at
            )
        )

),

-- What was covered after each import.
imported as (

    select
        account,
        imported_at,
        range_agg(tstzrange(begins_at, ends_at, '[]')) over (partition by account order by imported_at) as spans
    from {{ source('spotify', 'history_spans') }}

),

closed as (

    select
        found.*,
        (
            select min(imported.imported_at)
            from imported
            where
                imported.account = found.account
                and imported.spans @> tstzrange(found.begins_at, found.ends_at, '[]')
        ) as closed_at
    from found

)

select
    account,
    begins_at,
    ends_at,
    known_until,
    why,
    found_at,
    found_in_slot,
    closed_at is null as is_open,
    closed_at
from closed
