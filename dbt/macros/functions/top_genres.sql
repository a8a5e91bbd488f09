{% macro function_top_genres() -%}
    {% set body %}
        with

        artists as (

            select
                heard.artist_key,
                heard.plays_shared,
                heard.ms_shared
            from intermediate.plays_by_artist(of_account, from_date, to_date) as heard

        ),

        weighted as (

            {{ genres_of_artists() }}

        ),

        listened as (

            select sum(days.plays) as plays
            from {{ ref('fct_listening_days') }} as days
            where days.account = of_account and days.played_date between from_date and to_date

        ),

        ranked as (

            select
                *,
                rank() over (order by plays desc, ms_played desc) as rank
            from weighted

        )

        select
            ranked.rank,
            ranked.genre,
            round(ranked.plays, 2),
            {{ minutes('ranked.ms_played') }},
            {{ share('ranked.plays', 'listened.plays') }},
            ranked.artists,
            {{ is_at_least_between() }}
        from ranked
        cross join listened
        where {{ is_asked_for('ranked.rank') }}
        order by ranked.rank, ranked.genre
    {% endset %}
    {{ tops_function(
        'top_genres',
        'rank bigint, genre text, plays numeric, minutes numeric, share_of_plays numeric, artists bigint,'
        ~ ' is_at_least boolean',
        body
    ) }}
{%- endmacro %}
