{# The local years in which plays are counted anew: `account, played_year`. #}
{% macro years_to_count() -%}
    select distinct
        days.account,
        extract(year from days.played_date)::integer as played_year
    from {{ ref('int_days_to_count') }} as days
{%- endmacro %}

{# Before the tracks of these years are put in anew, in the same transaction: take out what they were. #}
{% macro delete_track_years() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using ({{ touched_tracks() }}) as touched, ({{ years_to_count() }}) as years
        where
            built.account = touched.account and built.track_uri = touched.track_uri
            and built.account = years.account and built.played_year = years.played_year
    {% endif %}
{%- endmacro %}

{#
    The years of artists: those in which plays are counted anew, and all in which a track was played whose credits the news
    have changed. (A track without credits leaves no row there to tell by.) `offset 0`: the tracks are few, and looked up.
#}
{% macro artist_years_to_count() -%}
    {{ years_to_count() }}
    union
    select
        changed.account,
        years.played_year
    from (
        select
            credits.account,
            credits.track_uri
        from {{ ref('int_track_credits') }} as credits
        where credits.{{ is_news('changed_in_load') }}
        union
        select
            news.account,
            news.track_uri
        from {{ ref('int_news_tracks') }} as news
        inner join {{ ref('dim_tracks') }} as uncredited
            on news.account = uncredited.account and news.track_uri = uncredited.track_uri
        where uncredited.artist_credits = '[]'::jsonb
    ) as changed
    cross join lateral (
        select counted.played_year
        from {{ ref('fct_track_years') }} as counted
        where counted.account = changed.account and counted.track_uri = changed.track_uri
        offset 0
    ) as years
{%- endmacro %}

{% macro delete_artist_years() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using ({{ artist_years_to_count() }}) as years
        where built.account = years.account and built.played_year = years.played_year
    {% endif %}
{%- endmacro %}
