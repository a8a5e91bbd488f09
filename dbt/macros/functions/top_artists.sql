{% macro function_top_artists() -%}
    {% set body %}
        with

        ranked as (

            select
                heard.*,
                rank() over (order by heard.plays desc, heard.ms_played desc) as rank
            from intermediate.plays_by_artist(of_account, from_date, to_date) as heard
            order by rank, artist_key

        )

        select
            ranked.rank,
            artists.artist_name,
            ranked.plays,
            {{ minutes('ranked.ms_played') }},
            {{ minutes('ranked.ms_estimated') }},
            {{ is_at_least_between() }},
            ranked.artist_key
        from ranked
        inner join {{ ref('dim_artists') }} as artists
            on artists.account = of_account and ranked.artist_key = artists.artist_key
        where {{ is_asked_for('ranked.rank') }}
        order by ranked.rank, ranked.artist_key
    {% endset %}
    {{ tops_function(
        'top_artists',
        'rank bigint, artist_name text, plays bigint, minutes numeric, minutes_estimated numeric,'
        ~ ' is_at_least boolean, artist_key text',
        body
    ) }}
{%- endmacro %}
