{{
    config(
        pre_hook=["{{ memory_to_group() }}", "{{ delete_track_years() }}"],
        post_hook=[
            "{{ index_once('key', ['account', 'played_year', 'track_uri'], unique=true) }}",
            "{{ index_once('track', ['account', 'track_uri']) }}",
            "{{ analyze_when_new() }}",
        ]
    )
}}

-- depends_on: {{ ref('int_days_to_count') }}
-- depends_on: {{ ref('int_days_to_rebuild') }}
-- depends_on: {{ ref('stg_spotify__plays') }}
-- depends_on: {{ ref('int_excluded_tracks') }}
-- depends_on: {{ ref('fct_plays') }}

-- What was heard of each track in each local year. Of the years with news, only tracks that have some are counted anew.
with

{% if is_incremental() %}

    years_to_count as (

        {{ years_to_count() }}

    ),

    years as (

        select
            account,
            make_date(played_year, 1, 1) as from_date,
            make_date(played_year, 12, 31) as to_date
        from years_to_count

    ),

    touched as (

        {{ touched_tracks() }}

    ),

{% endif %}

plays as (

    select those.*
    from {{ plays_of_spans(ref('int_counted_plays'), 'years') }}
    {% if is_incremental() %}
        inner join touched
            on those.account = touched.account and those.track_uri = touched.track_uri
    {% endif %}

)

select
    account,
    extract(year from played_date)::integer as played_year,
    track_uri,
    count(*) as plays,
    sum(ms_played)::bigint as ms_played,
    coalesce(sum(ms_played) filter (where is_estimated), 0)::bigint as ms_estimated,
    count(*) filter (where is_skipped) as skips,
    count(*) filter (where is_skipped is not null) as plays_judged,
    min(played_at) as first_played_at,
    max(played_at) as last_played_at
from plays
group by account, played_year, track_uri
{{ 'order by account, played_year, track_uri' if not is_incremental() }}
