{#
    What was heard of each artist between two local dates. A play counts for every artist credited on it; of the shared
    plays each has an equal part.
#}
{% macro function_plays_by_artist() -%}
    {% set body %}
        with

        whole as materialized (

            select * from intermediate.whole_years(of_account, from_date, to_date)

        ),

        tracks as (

            select
                plays.track_uri,
                count(*) as plays,
                sum(plays.ms_played) as ms_played,
                sum(plays.ms_estimated) as ms_estimated
            from intermediate.plays_beside_years(of_account, from_date, to_date) as plays
            group by plays.track_uri

        ),

        counted as (

            select
                years.artist_key,
                years.plays,
                years.ms_played,
                years.ms_estimated,
                years.plays_shared,
                years.ms_shared
            from {{ ref('fct_artist_years') }} as years
            where
                years.account = of_account
                and years.played_year between (select first_year from whole) and (select last_year from whole)
            union all
            select
                credits.artist_key,
                sum(tracks.plays) as plays,
                sum(tracks.ms_played) as ms_played,
                sum(tracks.ms_estimated) as ms_estimated,
                sum(tracks.plays) / credits.credited as plays_shared,
                sum(tracks.ms_played) / credits.credited as ms_shared
            from tracks
            inner join {{ credits_of_account() }} as credits on tracks.track_uri = credits.track_uri
            group by credits.artist_key, credits.credited

        )

        select
            counted.artist_key,
            sum(counted.plays)::bigint as plays,
            sum(counted.ms_played)::bigint as ms_played,
            sum(counted.ms_estimated)::bigint as ms_estimated,
            sum(counted.plays_shared) as plays_shared,
            sum(counted.ms_shared) as ms_shared
        from counted
        group by counted.artist_key
    {% endset %}
    {{ table_function(
        'intermediate.plays_by_artist',
        'artist_key text, plays bigint, ms_played bigint, ms_estimated bigint, plays_shared numeric, ms_shared numeric',
        body
    ) }}
{%- endmacro %}
