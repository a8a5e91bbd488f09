{{
    config(
        pre_hook="{{ delete_days_to_rebuild() }}",
        post_hook=["{{ index_once('day', ['played_date_utc', 'account']) }}", "{{ analyze_when_new() }}"]
    )
}}

-- depends_on: {{ ref('int_days_to_rebuild') }}

/*
The rows of the data export that tell of a play a second time. The export repeats some plays nearly: the same track, at
times that overlap, which one listener cannot do. Two rows of one track that overlap by more than 2 s and by more than
half of the shorter one are one play (players that fade over let the rounds of a loop overlap a little). The longer one
counts; of two as long the earlier one. Rows are looked at from the longest to the shortest, and one is a near-duplicate
when it overlaps so with a row that counts.

Only tracks are compared: speech can be played at double speed, and then ends before its milliseconds are over. Nor are
rows compared whose times are not known: undated ones (stg_spotify__history), of which up to 185 carry the second of a
sync, and those that would have lasted for more than half a day.

kept_… is the row that counts instead: of those that it overlaps so, the longest.
*/
{% set longest_ms = 12 * 60 * 60 * 1000 %}

with recursive

{% if is_incremental() %}

    rebuilt_days as (

        select * from {{ ref('int_days_to_rebuild') }}

    ),

    read_days as (

        select distinct
            rebuilt_days.account,
            (rebuilt_days.day_utc + neighbour.days)::date as day_utc
        from rebuilt_days
        cross join (values (-1), (0), (1)) as neighbour (days)

    ),

    -- Staging keeps a row under the day on which it was told of: that on which it ended, or up to 31 days later.
    staged_days as (

        select distinct
            read_days.account,
            (read_days.day_utc + later.days)::date as day_utc
        from read_days
        cross join generate_series(-1, 32) as later (days)

    ),

{% endif %}

history as (

    select history.*
    from {{ ref('stg_spotify__history') }} as history
    {% if is_incremental() %}
        inner join staged_days
            on history.account = staged_days.account and history.reported_date_utc = staged_days.day_utc
        inner join read_days
            on history.account = read_days.account and history.played_date_utc = read_days.day_utc
    {% endif %}

),

-- `offset 0` has all of this computed before the sort that follows, which would carry along what it is made of.
timed as (

    select
        account,
        hashtext(account) as account_number,
        reported_at,
        row_id,
        track_uri,
        started_at,
        played_at,
        played_date_utc,
        ms_played
    from history
    where
        {{ is_track_row() }}
        and not is_undated
        and ms_played > 2000
        and ms_played <= {{ longest_ms }}
    offset 0  -- noqa: AM09

),

-- From here to the pairs only what can overlap is carried on, in the order of time: a sort by track would cost more.
-- Accounts are told apart by a number for the same reason; should two share one, only more is looked at.
in_order as (

    select
        *,
        max(played_at) over earlier as played_until,
        lead(started_at) over earlier as next_started_at
    from timed
    window earlier as (
        partition by account_number
        order by started_at, reported_at, row_id rows between unbounded preceding and 1 preceding
    )

),

islands as (

    select
        *,
        count(*) filter (where started_at + interval '2 seconds' < played_until is not true) over (
            partition by account_number order by started_at, reported_at, row_id rows unbounded preceding
        ) as island
    from in_order
    where
        started_at + interval '2 seconds' < played_until
        or next_started_at + interval '2 seconds' < greatest(played_until, played_at)

),

pairs as (

    select
        longer.account,
        longer.island,
        longer.track_uri,
        longer.reported_at as longer_reported_at,
        longer.row_id as longer_row_id,
        shorter.reported_at as shorter_reported_at,
        shorter.row_id as shorter_row_id
    from islands as longer
    inner join islands as shorter
        on
            longer.account = shorter.account
            and longer.island = shorter.island
            and longer.track_uri = shorter.track_uri
            and (-longer.ms_played, longer.played_at, longer.reported_at, longer.row_id)
            < (-shorter.ms_played, shorter.played_at, shorter.reported_at, shorter.row_id)
    where
        least(longer.played_at, shorter.played_at) - greatest(longer.started_at, shorter.started_at)
        > greatest(2000, shorter.ms_played / 2.0) * interval '1 millisecond'

),

paired_rows as (

    select
        account,
        longer_reported_at as reported_at,
        longer_row_id as row_id
    from pairs
    union
    select
        account,
        shorter_reported_at as reported_at,
        shorter_row_id as row_id
    from pairs

),

paired as (

    select
        islands.account,
        islands.island,
        islands.track_uri,
        islands.reported_at,
        islands.row_id,
        islands.played_at,
        islands.played_date_utc,
        row_number() over (
            partition by islands.account, islands.island, islands.track_uri
            order by islands.ms_played desc, islands.played_at asc, islands.reported_at asc, islands.row_id asc
        ) as place
    from islands
    inner join paired_rows
        on
            islands.account = paired_rows.account
            and islands.reported_at = paired_rows.reported_at
            and islands.row_id = paired_rows.row_id

),

placed as (

    select
        paired.account,
        paired.island,
        paired.track_uri,
        paired.reported_at,
        paired.row_id,
        paired.played_at,
        paired.played_date_utc,
        paired.place,
        array_remove(array_agg(longer.place), null) as places_overlapped
    from paired
    left join pairs
        on
            paired.account = pairs.account
            and paired.reported_at = pairs.shorter_reported_at
            and paired.row_id = pairs.shorter_row_id
    left join paired as longer
        on
            pairs.account = longer.account
            and pairs.longer_reported_at = longer.reported_at
            and pairs.longer_row_id = longer.row_id
    group by
        paired.account,
        paired.island,
        paired.track_uri,
        paired.reported_at,
        paired.row_id,
        paired.played_at,
        paired.played_date_utc,
        paired.place

),

-- From the longest to the shortest: as many rounds as there are such rows of one track at one time, mostly two.
judged as (

    select
        *,
        array[place] as places_counted,
        false as is_near_duplicate
    from placed
    where place = 1

    union all

    select
        placed.*,
        case
            when placed.places_overlapped && judged.places_counted then judged.places_counted
            else judged.places_counted || placed.place
        end as places_counted,
        placed.places_overlapped && judged.places_counted as is_near_duplicate
    from judged
    inner join placed
        on
            judged.account = placed.account
            and judged.island = placed.island
            and judged.track_uri = placed.track_uri
            and placed.place = judged.place + 1

)

select
    judged.account,
    judged.played_at,
    judged.played_date_utc,
    judged.reported_at,
    judged.row_id,
    kept.played_at as kept_played_at,
    kept.played_date_utc as kept_date_utc,
    kept.reported_at as kept_reported_at,
    kept.row_id as kept_row_id
from judged
inner join paired as kept
    on
        judged.account = kept.account
        and judged.island = kept.island
        and judged.track_uri = kept.track_uri
        and kept.place = (
            select min(overlapped.place)
            from unnest(judged.places_overlapped) as overlapped (place)
            where overlapped.place = any(judged.places_counted)
        )
{% if is_incremental() %}
    inner join rebuilt_days
        on judged.account = rebuilt_days.account and judged.played_date_utc = rebuilt_days.day_utc
{% endif %}
where judged.is_near_duplicate
