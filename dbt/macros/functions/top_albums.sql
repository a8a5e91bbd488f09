{# As top_tracks. #}
{% macro function_top_albums() -%}
    {% set body %}
        with

        whole as materialized (

            select * from intermediate.whole_years(of_account, from_date, to_date)

        ),

        tracks as (

            {{ tracks_heard() }}

        ),

        heard as (

            select
                album_key,
                sum(plays)::bigint as plays,
                sum(ms_played)::bigint as ms_played,
                sum(ms_estimated)::bigint as ms_estimated,
                count(distinct recording_key) as tracks_heard
            from tracks
            where album_key is not null and not (select is_all from whole)
            group by album_key

        ),

        ranked as (

            (
                select
                    heard.*,
                    rank() over (order by heard.plays desc, heard.ms_played desc) as rank
                from heard
                order by rank, album_key
            )
            union all
            (
                select
                    totals.album_key,
                    totals.plays,
                    totals.ms_played,
                    totals.ms_estimated,
                    totals.tracks_heard,
                    rank() over (order by totals.plays desc, totals.ms_played desc) as rank
                from {{ ref('int_album_totals') }} as totals
                where totals.account = of_account and (select is_all from whole)
                order by rank, album_key
            )

        )

        select
            ranked.rank,
            albums.album_name,
            albums.album_artist,
            ranked.plays,
            {{ minutes('ranked.ms_played') }},
            {{ minutes('ranked.ms_estimated') }},
            ranked.tracks_heard,
            albums.total_tracks,
            {{ is_at_least_between() }},
            ranked.album_key
        from ranked
        cross join lateral (
            select
                dim.album_name,
                dim.album_artist,
                dim.total_tracks
            from {{ ref('dim_albums') }} as dim
            where dim.account = of_account and dim.album_key = ranked.album_key
            offset 0
        ) as albums
        where {{ is_asked_for('ranked.rank') }}
        order by ranked.rank, ranked.album_key
    {% endset %}
    {{ tops_function(
        'top_albums',
        'rank bigint, album_name text, artists text, plays bigint, minutes numeric, minutes_estimated numeric,'
        ~ ' tracks_heard bigint, total_tracks integer, is_at_least boolean, album_key text',
        body
    ) }}
{%- endmacro %}
