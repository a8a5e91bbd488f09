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
    have changed. (A track without credits leaves no row on the bridge to tell by.)
#}
{% macro artist_years_to_count() -%}
    {{ years_to_count() }}
    union
    select
        years.account,
        years.played_year
    from {{ ref('fct_track_years') }} as years
    where
        (years.account, years.track_uri) in (
            select
                credits.account,
                credits.track_uri
            from {{ ref('int_track_credits') }} as credits
            where credits.{{ is_news('changed_in_load') }}
            union all
            select
                news.account,
                news.track_uri
            from ({{ news_tracks() }}) as news
            inner join {{ ref('dim_tracks') }} as uncredited
                on news.account = uncredited.account and news.track_uri = uncredited.track_uri
            where uncredited.artist_credits = '[]'::jsonb
        )
{%- endmacro %}

{% macro delete_artist_years() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using ({{ artist_years_to_count() }}) as years
        where built.account = years.account and built.played_year = years.played_year
    {% endif %}
{%- endmacro %}
