{{
    config(
        pre_hook="{{ delete_days_to_rebuild('polled_date_utc') }}",
        post_hook=["{{ index_once('day', ['polled_date_utc', 'account']) }}", "{{ analyze_when_new() }}"]
    )
}}

-- depends_on: {{ ref('int_days_to_rebuild') }}

/*
One row per play that both sources tell of: one polled play and one row of the export, each in one pair at most. Pairs
end within match_window_seconds of each other and are of one track:

  1. of one URI
  2. else of one ISRC: the export row's URI was once polled under the polled play's ISRC
  3. else of one title, by one of the polled track's or album's artists (the export names the album's first alone)

Nearest first: of all pairs of the first pass the one with the least difference is taken, then the next of which both
plays are still free; then come the pairs of the second and third pass. So a loop, or a short track three times in a
minute, is paired play by play, and what only one source knows stays alone.

Near-duplicates and speech take no part: the Web API returns neither.
*/
{% set window = var('match_window_seconds') | int %}

{% set pair -%}
    polled.account,
    polled.played_date_utc as polled_date_utc,
    polled.played_at as polled_at,
    polled.track_uri as polled_track_uri,
    polled.duration_ms,
    exported.played_date_utc as export_date_utc,
    exported.played_at as export_played_at,
    exported.reported_date_utc as export_reported_date_utc,
    exported.reported_at as export_reported_at,
    exported.row_id as export_row_id,
    round(extract(epoch from polled.played_at - exported.played_at) * 1000)::bigint as difference_ms
{%- endset %}
{% set is_near -%}
    exported.played_at between polled.played_at - interval '{{ window }} seconds'
    and polled.played_at + interval '{{ window }} seconds'
{%- endset %}

{% set is_free -%}
    (placed.polled_number != all(walked.polled_taken) and placed.export_number != all(walked.export_taken))
{%- endset %}

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

{% endif %}

-- Most days of a long history are known to one source alone, and nothing else of them is read.
shared_days as (

    {% for source in ('int_polled_plays', 'int_history_plays') %}
        select
            known.account,
            (known.played_date_utc + neighbour.days)::date as day_utc
        from (
            select distinct
                plays.account,
                plays.played_date_utc
            from {{ ref(source) }} as plays
            {% if is_incremental() %}
                inner join read_days
                    on plays.account = read_days.account and plays.played_date_utc = read_days.day_utc
            {% endif %}
        ) as known
        cross join (values (-1), (0), (1)) as neighbour (days)
        {% if not loop.last %}
            intersect
        {% endif %}
    {% endfor %}

    {% if is_incremental() %}
        intersect
        select
            account,
            day_utc
        from read_days
    {% endif %}

),

-- A pair is looked for in slices of time as long as the window: in its own and the two beside it.
polled_plays as (

    select
        polled.*,
        floor(extract(epoch from polled.played_at) / {{ [window, 1] | max }})::bigint as slice
    from {{ ref('int_polled_plays') }} as polled
    inner join shared_days
        on polled.account = shared_days.account and polled.played_date_utc = shared_days.day_utc

),

exported_plays as (

    select
        exported.account,
        exported.played_at,
        exported.played_date_utc,
        exported.reported_at,
        exported.reported_date_utc,
        exported.row_id,
        exported.track_uri,
        exported.track_name,
        exported.album_artist_name,
        floor(extract(epoch from exported.played_at) / {{ [window, 1] | max }})::bigint as slice
    from {{ ref('int_history_plays') }} as exported
    inner join shared_days
        on exported.account = shared_days.account and exported.played_date_utc = shared_days.day_utc
    where exported.content_type = 'track' and not exported.is_near_duplicate

),

by_track_id as (

    select
        {{ pair }},
        1 as pass
    from polled_plays as polled
    cross join (values (-1), (0), (1)) as neighbour (slices)
    inner join exported_plays as exported
        on
            polled.account = exported.account
            and polled.track_uri = exported.track_uri
            and polled.slice + neighbour.slices = exported.slice
    where {{ is_near }}

),

{{ mutual_choices('first', 'by_track_id') }},

-- Nobody whom the first pass may still give away is left out here, and hardly anybody else is left.
polled_alone as (

    select polled.*
    from polled_plays as polled
    where
        not exists (
            select 1
            from first_chosen as chosen
            where
                chosen.account = polled.account
                and chosen.polled_at = polled.played_at
                and chosen.polled_track_uri = polled.track_uri
        )

),

exported_alone as (

    select exported.*
    from exported_plays as exported
    where
        not exists (
            select 1
            from first_chosen as chosen
            where
                chosen.account = exported.account
                and chosen.export_reported_at = exported.reported_at
                and chosen.export_row_id = exported.row_id
        )

),

by_isrc as (

    select distinct
        {{ pair }},
        2 as pass
    from polled_alone as polled
    cross join (values (-1), (0), (1)) as neighbour (slices)
    inner join {{ ref('int_track_isrcs') }} as isrcs
        on polled.account = isrcs.account and polled.isrc = isrcs.isrc
    inner join exported_alone as exported
        on
            isrcs.account = exported.account
            and isrcs.track_uri = exported.track_uri
            and polled.slice + neighbour.slices = exported.slice
    where {{ is_near }}

),

named_steps as (

    select
        steps.account,
        steps.played_at,
        steps.track_uri,
        steps.track_name,
        steps.artist_credits || steps.album_artist_credits as credits
    from {{ ref('stg_spotify__plays') }} as steps
    inner join shared_days
        on steps.account = shared_days.account and steps.played_date_utc = shared_days.day_utc

),

polled_names as (

    select distinct
        polled.account,
        polled.played_at,
        polled.track_uri,
        {{ normalised_name('steps.track_name') }} as title_key,
        {{ normalised_name("credit.artist ->> 'name'") }} as artist_name_key
    from polled_alone as polled
    inner join named_steps as steps
        on
            polled.account = steps.account
            and polled.played_at = steps.played_at
            and polled.track_uri = steps.track_uri
    cross join jsonb_array_elements(steps.credits) as credit (artist)

),

by_names as (

    select distinct
        {{ pair }},
        3 as pass
    from polled_alone as polled
    inner join polled_names as named
        on
            polled.account = named.account
            and polled.played_at = named.played_at
            and polled.track_uri = named.track_uri
    cross join (values (-1), (0), (1)) as neighbour (slices)
    inner join exported_alone as exported
        on
            polled.account = exported.account
            and polled.slice + neighbour.slices = exported.slice
            and named.title_key = {{ normalised_name('exported.track_name') }}
            and named.artist_name_key = {{ normalised_name('exported.album_artist_name') }}
    where {{ is_near }}

),

open_candidates as (

    select
        account,
        polled_date_utc,
        polled_at,
        polled_track_uri,
        duration_ms,
        export_date_utc,
        export_played_at,
        export_reported_date_utc,
        export_reported_at,
        export_row_id,
        difference_ms,
        pass
    from first_open
    union all
    select * from by_isrc
    union all
    select * from by_names

),

later_candidates as (

    select distinct on (account, polled_at, polled_track_uri, export_reported_at, export_row_id) *
    from open_candidates
    order by account asc, polled_at asc, polled_track_uri asc, export_reported_at asc, export_row_id asc, pass asc

),

{{ mutual_choices('second', 'later_candidates') }},

-- What is left now contends for its plays in chains. A chain is walked from its nearest pair on; those of different
-- times have no play in common.
beginnings as (

    select
        *,
        least(polled_at, export_played_at) > max(greatest(polled_at, export_played_at)) over (
            partition by account
            order by least(polled_at, export_played_at) rows between unbounded preceding and 1 preceding
        ) is not false as begins_chain
    from second_open

),

chains as (

    select
        *,
        count(*) filter (where begins_chain) over (
            partition by account order by least(polled_at, export_played_at)
        ) as chain_number
    from beginnings

),

placed as (

    select
        *,
        row_number() over (partition by account, chain_number order by {{ nearest_first() }}) as place,
        dense_rank() over (partition by account, chain_number order by polled_at, polled_track_uri) as polled_number,
        dense_rank() over (
            partition by account, chain_number order by export_reported_at, export_row_id
        ) as export_number
    from chains

),

walked as (

    select
        account,
        chain_number,
        place,
        true as is_taken,
        array[polled_number] as polled_taken,
        array[export_number] as export_taken
    from placed
    where place = 1

    union all

    select
        placed.account,
        placed.chain_number,
        placed.place,
        {{ is_free }} as is_taken,
        case when {{ is_free }} then walked.polled_taken || placed.polled_number else walked.polled_taken end
            as polled_taken,
        case when {{ is_free }} then walked.export_taken || placed.export_number else walked.export_taken end
            as export_taken
    from walked
    inner join placed
        on
            walked.account = placed.account
            and walked.chain_number = placed.chain_number
            and placed.place = walked.place + 1

),

pairs as (

    {% for chosen in ('first_chosen', 'second_chosen', 'placed') %}
        select
            pairs.account,
            pairs.polled_date_utc,
            pairs.polled_at,
            pairs.polled_track_uri,
            pairs.duration_ms,
            pairs.export_date_utc,
            pairs.export_played_at,
            pairs.export_reported_date_utc,
            pairs.export_reported_at,
            pairs.export_row_id,
            case pairs.pass when 1 then 'track_id' when 2 then 'isrc' else 'names' end as matched_by,
            pairs.difference_ms
        from {{ chosen }} as pairs
        {% if chosen == 'placed' %}
            inner join walked
                on
                    pairs.account = walked.account
                    and pairs.chain_number = walked.chain_number
                    and pairs.place = walked.place
                    and walked.is_taken
        {% else %}
            union all
        {% endif %}
    {% endfor %}

)

select pairs.*
from pairs
{% if is_incremental() %}
    inner join rebuilt_days
        on pairs.account = rebuilt_days.account and pairs.polled_date_utc = rebuilt_days.day_utc
{% endif %}
