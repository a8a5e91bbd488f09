{#
    The whole history is added up already. Names are looked up last, of only those rows that a query shows: `offset 0`
    keeps PostgreSQL from joining them sooner.
#}
{% macro function_top_tracks() -%}
    {% set body %}
        with

        whole as materialized (

            select * from intermediate.whole_years(of_account, from_date, to_date)

        ),

        tracks as (

            {{ tracks_heard() }}

        ),

        recordings as (

            select
                recording_key,
                sum(plays)::bigint as plays,
                sum(ms_played)::bigint as ms_played,
                sum(ms_estimated)::bigint as ms_estimated,
                (array_agg(track_uri order by plays desc, last_played_at desc, track_uri asc))[1] as track_uri
            from tracks
            where not (select is_all from whole)
            group by recording_key

        ),

        ranked as (

            (
                select
                    recordings.*,
                    rank() over (order by recordings.plays desc, recordings.ms_played desc) as rank
                from recordings
                order by rank, recording_key
            )
            union all
            (
                select
                    totals.recording_key,
                    totals.plays,
                    totals.ms_played,
                    totals.ms_estimated,
                    totals.track_uri,
                    rank() over (order by totals.plays desc, totals.ms_played desc) as rank
                from {{ ref('int_recording_totals') }} as totals
                where totals.account = of_account and (select is_all from whole)
                order by rank, recording_key
            )

        )

        select
            ranked.rank,
            tracks.track_name,
            tracks.artists,
            ranked.plays,
            {{ minutes('ranked.ms_played') }},
            {{ minutes('ranked.ms_estimated') }},
            {{ is_at_least_between() }},
            ranked.recording_key,
            ranked.track_uri,
            tracks.track_url
        from ranked
        cross join lateral (
            select
                dim.track_name,
                dim.artists,
                dim.track_url
            from {{ ref('dim_tracks') }} as dim
            where dim.account = of_account and dim.track_uri = ranked.track_uri
            offset 0
        ) as tracks
        where {{ is_asked_for('ranked.rank') }}
        order by ranked.rank, ranked.recording_key
    {% endset %}
    {{ tops_function(
        'top_tracks',
        'rank bigint, track_name text, artists text, plays bigint, minutes numeric, minutes_estimated numeric,'
        ~ ' is_at_least boolean, recording_key text, track_uri text, track_url text',
        body
    ) }}
{%- endmacro %}
