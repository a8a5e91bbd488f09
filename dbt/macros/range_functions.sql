{#
    Tops of any range of local dates, as functions: a view can be filtered, but not told between which dates to count. dbt
    knows functions of one value only, so each is made with the report that tells the same of the whole history.
    The body is text to PostgreSQL: a view that is built anew takes no function along. As views do, a function reads with
    the rights of its owner (`security definer`): whoever may read `reporting` needs no other schema.
#}
{% macro table_function(name, columns, body) -%}
    drop function if exists {{ name }} (text, date, date) cascade;
    create function {{ name }} (of_account text, from_date date, to_date date)
    returns table ({{ columns }})
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
    as $body$ {{ body }} $body$
{%- endmacro %}

{#
    Every track's plays between two local dates: whole years as they are counted already, the rest from the plays. Where the
    dates hold all of a history, its totals. `offset 0` has PostgreSQL hash the account's tracks once, not look each up; as
    `not in`, exclusions (of int_counted_plays) are hashed too.
#}
{% macro function_plays_by_track() -%}
    {% set body %}
        with

        known as (

            select
                (
                    select min(days.played_date)
                    from {{ ref('fct_listening_days') }} as days
                    where days.account = of_account
                ) as first_date,
                (
                    select max(days.played_date)
                    from {{ ref('fct_listening_days') }} as days
                    where days.account = of_account
                ) as last_date

        ),

        -- Beyond the ends of the history there is nothing: the years in which it begins and ends can be whole as well.
        asked as (

            select
                case when from_date <= first_date then date_trunc('year', first_date)::date else from_date end as span_from,
                case
                    when to_date >= last_date then (date_trunc('year', last_date) + interval '1 year')::date - 1
                    else to_date
                end as span_to,
                from_date <= first_date and to_date >= last_date as is_all
            from known

        ),

        whole as materialized (

            select
                span_from,
                span_to,
                is_all,
                extract(year from span_from - 1)::integer + 1 as first_year,
                extract(year from span_to + 1)::integer - 1 as last_year
            from asked

        ),

        spans as (

            select
                span_from,
                case when first_year <= last_year then make_date(first_year, 1, 1) - 1 else span_to end as span_to
            from whole
            where not is_all
            union all
            select
                make_date(last_year + 1, 1, 1) as span_from,
                span_to
            from whole
            where not is_all and first_year <= last_year

        ),

        counted as (

            select
                years.track_uri,
                years.plays,
                years.ms_played,
                years.ms_estimated,
                years.last_played_at
            from {{ ref('fct_track_years') }} as years
            where
                years.account = of_account
                and years.played_year between (select first_year from whole) and (select last_year from whole)
                and not (select is_all from whole)
            union all
            select
                plays.track_uri,
                1 as plays,
                plays.ms_played,
                case when plays.is_estimated then plays.ms_played else 0 end as ms_estimated,
                plays.played_at as last_played_at
            from spans
            cross join lateral (
                select heard.*
                from {{ ref('fct_plays') }} as heard
                where
                    heard.account = of_account
                    and heard.played_date between spans.span_from and spans.span_to
                    and heard.content_type = 'track'
                    and heard.play_id not in (
                        select excluded.play_id
                        from {{ ref('int_excluded_plays') }} as excluded
                        where excluded.account = of_account and excluded.played_date between from_date and to_date
                    )
                offset 0
            ) as plays

        ),

        summed as (

            select
                counted.track_uri,
                sum(counted.plays)::bigint as plays,
                sum(counted.ms_played)::bigint as ms_played,
                sum(counted.ms_estimated)::bigint as ms_estimated,
                max(counted.last_played_at) as last_played_at
            from counted
            group by counted.track_uri

        )

        select
            summed.track_uri,
            totals.recording_key,
            totals.album_key,
            summed.plays,
            summed.ms_played,
            summed.ms_estimated,
            summed.last_played_at
        from summed
        inner join (
            select
                totals.track_uri,
                totals.recording_key,
                totals.album_key
            from {{ ref('int_track_totals') }} as totals
            where totals.account = of_account
            offset 0
        ) as totals on summed.track_uri = totals.track_uri
        union all
        select
            totals.track_uri,
            totals.recording_key,
            totals.album_key,
            totals.plays,
            totals.ms_played,
            totals.ms_estimated,
            totals.last_played_at
        from {{ ref('int_track_totals') }} as totals
        where totals.account = of_account and (select is_all from whole)
    {% endset %}
    {{ table_function(
        'intermediate.plays_by_track',
        'track_uri text, recording_key text, album_key text, plays bigint, ms_played bigint, ms_estimated bigint,'
        ~ ' last_played_at timestamptz',
        body
    ) }}
{%- endmacro %}

{# The credits of an account, hashed once. #}
{% macro credits_of_account() -%}
    (
        select
            bridge.track_uri,
            bridge.artist_key
        from {{ ref('bridge_track_artists') }} as bridge
        where bridge.account = of_account
        offset 0
    )
{%- endmacro %}

{# Plays of a CTE of tracks for each artist credited on them, and how many share a play. #}
{% macro credits_of_tracks(tracks) -%}
    select
        {{ tracks }}.plays,
        {{ tracks }}.ms_played,
        credits.artist_key,
        count(*) over (partition by {{ tracks }}.track_uri) as credited
    from {{ tracks }}
    inner join {{ credits_of_account() }} as credits on {{ tracks }}.track_uri = credits.track_uri
{%- endmacro %}

{# The shared plays of the CTE `artists`, by genre. #}
{% macro genres_of_artists() -%}
    select
        genres.genre,
        {{ shared('sum(artists.plays_shared * genres.weight)') }} as plays,
        {{ shared('sum(artists.ms_shared * genres.weight)') }} as ms_played,
        count(*) as artists
    from artists
    inner join {{ ref('bridge_artist_genres') }} as genres
        on genres.account = of_account and artists.artist_key = genres.artist_key
    group by genres.genre
{%- endmacro %}

{# A CTE in the order of its ranks: so names are looked up of only those rows that a query shows. #}
{% macro ranked_by_plays(heard, key) -%}
    select
        {{ heard }}.*,
        rank() over (order by {{ heard }}.plays desc, {{ heard }}.ms_played desc) as rank
    from {{ heard }}
    order by rank, {{ key }}
{%- endmacro %}

{# Whether an open gap lies between the dates. #}
{% macro is_at_least_between() -%}
    (
        select {{ has_open_gap_between('accounts', 'from_date', 'to_date') }}
        from {{ ref('dim_accounts') }} as accounts
        where accounts.account = of_account
    )
{%- endmacro %}

{% macro function_top_tracks() -%}
    {% set body %}
        with

        recordings as (

            select
                heard.recording_key,
                sum(heard.plays)::bigint as plays,
                sum(heard.ms_played)::bigint as ms_played,
                sum(heard.ms_estimated)::bigint as ms_estimated,
                (
                    array_agg(heard.track_uri order by heard.plays desc, heard.last_played_at desc, heard.track_uri asc)
                )[1] as track_uri
            from intermediate.plays_by_track(of_account, from_date, to_date) as heard
            group by heard.recording_key

        ),

        ranked as (

            {{ ranked_by_plays('recordings', 'recording_key') }}

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
        inner join {{ ref('dim_tracks') }} as tracks
            on tracks.account = of_account and ranked.track_uri = tracks.track_uri
        order by ranked.rank, ranked.recording_key
    {% endset %}
    {{ table_function(
        'reporting.top_tracks',
        'rank bigint, track_name text, artists text, plays bigint, minutes numeric, minutes_estimated numeric,'
        ~ ' is_at_least boolean, recording_key text, track_uri text, track_url text',
        body
    ) }}
{%- endmacro %}

{% macro function_top_artists() -%}
    {% set body %}
        with

        heard as (

            select
                credits.artist_key,
                sum(heard.plays)::bigint as plays,
                sum(heard.ms_played)::bigint as ms_played,
                sum(heard.ms_estimated)::bigint as ms_estimated
            from intermediate.plays_by_track(of_account, from_date, to_date) as heard
            inner join {{ credits_of_account() }} as credits on heard.track_uri = credits.track_uri
            group by credits.artist_key

        ),

        ranked as (

            {{ ranked_by_plays('heard', 'artist_key') }}

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
        order by ranked.rank, ranked.artist_key
    {% endset %}
    {{ table_function(
        'reporting.top_artists',
        'rank bigint, artist_name text, plays bigint, minutes numeric, minutes_estimated numeric,'
        ~ ' is_at_least boolean, artist_key text',
        body
    ) }}
{%- endmacro %}

{% macro function_top_albums() -%}
    {% set body %}
        with

        heard as (

            select
                heard.album_key,
                sum(heard.plays)::bigint as plays,
                sum(heard.ms_played)::bigint as ms_played,
                sum(heard.ms_estimated)::bigint as ms_estimated,
                count(distinct heard.recording_key) as tracks_heard
            from intermediate.plays_by_track(of_account, from_date, to_date) as heard
            where heard.album_key is not null
            group by heard.album_key

        ),

        ranked as (

            {{ ranked_by_plays('heard', 'album_key') }}

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
        inner join {{ ref('dim_albums') }} as albums
            on albums.account = of_account and ranked.album_key = albums.album_key
        order by ranked.rank, ranked.album_key
    {% endset %}
    {{ table_function(
        'reporting.top_albums',
        'rank bigint, album_name text, artists text, plays bigint, minutes numeric, minutes_estimated numeric,'
        ~ ' tracks_heard bigint, total_tracks integer, is_at_least boolean, album_key text',
        body
    ) }}
{%- endmacro %}

{% macro function_top_genres() -%}
    {% set body %}
        with

        heard as materialized (

            select
                tracks.track_uri,
                tracks.plays,
                tracks.ms_played
            from intermediate.plays_by_track(of_account, from_date, to_date) as tracks

        ),

        credits as (

            {{ credits_of_tracks('heard') }}

        ),

        artists as (

            select
                credits.artist_key,
                sum(credits.plays::numeric / credits.credited) as plays_shared,
                sum(credits.ms_played::numeric / credits.credited) as ms_shared
            from credits
            group by credits.artist_key

        ),

        weighted as (

            {{ genres_of_artists() }}

        )

        select
            rank() over (order by weighted.plays desc, weighted.ms_played desc),
            weighted.genre,
            round(weighted.plays, 2),
            {{ minutes('weighted.ms_played') }},
            {{ share('weighted.plays', '(select sum(heard.plays) from heard)') }},
            weighted.artists,
            {{ is_at_least_between() }}
        from weighted
        order by 1, 2
    {% endset %}
    {{ table_function(
        'reporting.top_genres',
        'rank bigint, genre text, plays numeric, minutes numeric, share_of_plays numeric, artists bigint,'
        ~ ' is_at_least boolean',
        body
    ) }}
{%- endmacro %}
