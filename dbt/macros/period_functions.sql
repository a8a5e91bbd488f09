{# Whether the dates are those of a calendar year, of which the artists are counted already. #}
{% macro is_whole_year() -%}
    from_date = date_trunc('year', from_date)::date and to_date = (from_date + interval '1 year')::date - 1
{%- endmacro %}

{# What a period is remembered by: `tracks … top_genre_plays`, in one row. #}
{% macro function_heard_between() -%}
    {% set body %}
        with

        tracks as materialized (

            select heard.*
            from intermediate.plays_by_track(of_account, from_date, to_date) as heard

        ),

        recordings as materialized (

            select
                recording_key,
                sum(plays) as plays,
                sum(ms_played) as ms_played,
                (array_agg(track_uri order by plays desc, last_played_at desc, track_uri asc))[1] as track_uri
            from tracks
            group by recording_key

        ),

        whole as materialized (

            select {{ is_whole_year() }} as is_year

        ),

        credits as (

            {{ credits_of_tracks('tracks') }}

        ),

        artists as materialized (

            select
                years.artist_key,
                years.plays,
                years.ms_played,
                years.plays_shared,
                years.ms_shared
            from {{ ref('fct_artist_years') }} as years
            where
                years.account = of_account
                and years.played_year = extract(year from from_date)
                and (select whole.is_year from whole)
            union all
            select
                credits.artist_key,
                sum(credits.plays) as plays,
                sum(credits.ms_played) as ms_played,
                sum(credits.plays::numeric / credits.credited) as plays_shared,
                sum(credits.ms_played::numeric / credits.credited) as ms_shared
            from credits
            where not (select whole.is_year from whole)
            group by credits.artist_key

        ),

        albums as materialized (

            select
                album_key,
                sum(plays) as plays,
                sum(ms_played) as ms_played
            from tracks
            where album_key is not null
            group by album_key

        ),

        genres as (

            {{ genres_of_artists() }}

        ),

        top_track as (

            select * from recordings
            order by plays desc, ms_played desc, recording_key asc
            limit 1

        ),

        top_artist as (

            select * from artists
            order by plays desc, ms_played desc, artist_key asc
            limit 1

        ),

        top_album as (

            select * from albums
            order by plays desc, ms_played desc, album_key asc
            limit 1

        ),

        top_genre as (

            select * from genres
            order by plays desc, ms_played desc, genre asc
            limit 1

        )

        select
            (select count(*) from recordings) as tracks,
            (select count(*) from artists) as artists,
            (select count(*) from albums) as albums,
            (
                select count(*)
                from {{ ref('int_recording_totals') }} as totals
                where
                    totals.account = of_account
                    and totals.first_played_at >= {{ local_midnight('from_date', 'of_account') }}
                    and totals.first_played_at < {{ local_midnight('to_date + 1', 'of_account') }}
            ) as new_tracks,
            (
                select count(*)
                from artists
                where
                    not exists (
                        select 1
                        from {{ ref('fct_artist_years') }} as years
                        where
                            years.account = of_account
                            and years.artist_key = artists.artist_key
                            and years.first_played_at < {{ local_midnight('from_date', 'of_account') }}
                    )
            ) as new_artists,
            named.track_name as top_track,
            named.artists as top_track_artists,
            top_track.plays::bigint as top_track_plays,
            dim_artists.artist_name as top_artist,
            top_artist.plays::bigint as top_artist_plays,
            dim_albums.album_name as top_album,
            top_album.plays::bigint as top_album_plays,
            top_genre.genre as top_genre,
            top_genre.plays as top_genre_plays
        from (values (1)) as one (row)
        left join top_track on true
        left join {{ ref('dim_tracks') }} as named
            on named.account = of_account and top_track.track_uri = named.track_uri
        left join top_artist on true
        left join {{ ref('dim_artists') }} as dim_artists
            on dim_artists.account = of_account and top_artist.artist_key = dim_artists.artist_key
        left join top_album on true
        left join {{ ref('dim_albums') }} as dim_albums
            on dim_albums.account = of_account and top_album.album_key = dim_albums.album_key
        left join top_genre on true
    {% endset %}
    {{ table_function(
        'intermediate.heard_between',
        'tracks bigint, artists bigint, albums bigint, new_tracks bigint, new_artists bigint, top_track text,'
        ~ ' top_track_artists text, top_track_plays bigint, top_artist text, top_artist_plays bigint, top_album text,'
        ~ ' top_album_plays bigint, top_genre text, top_genre_plays numeric',
        body
    ) }}
{%- endmacro %}

{# How a period was listened through: streak, busiest date, hour, skips and sittings, in one row. #}
{% macro function_listened_between() -%}
    {% set body %}
        with

        days as materialized (

            select
                listened.played_date,
                listened.ms_played,
                listened.skips,
                listened.plays_judged,
                listened.played_date - (row_number() over (order by listened.played_date))::integer as run
            from {{ ref('fct_listening_days') }} as listened
            where
                listened.account = of_account
                and listened.plays > 0
                and listened.played_date between from_date and to_date

        ),

        streaks as (

            select count(*) as dates
            from days
            group by run

        ),

        busiest as (

            select
                played_date,
                ms_played
            from days
            order by ms_played desc, played_date asc
            limit 1

        ),

        clock as (

            select hours.played_hour
            from {{ ref('fct_listening_hours') }} as hours
            where hours.account = of_account and hours.played_date between from_date and to_date
            group by hours.played_hour
            order by sum(hours.ms_played) desc, hours.played_hour asc
            limit 1

        ),

        sittings as (

            select
                count(*) as sessions,
                max(duration_ms) as longest_ms
            from {{ ref('fct_sessions') }}
            where account = of_account and started_date between from_date and to_date

        )

        select
            (select max(streaks.dates) from streaks),
            busiest.played_date,
            busiest.ms_played,
            clock.played_hour,
            (select sum(days.skips)::bigint from days),
            (select sum(days.plays_judged)::bigint from days),
            sittings.sessions,
            sittings.longest_ms
        from sittings
        left join busiest on true
        left join clock on true
    {% endset %}
    {{ table_function(
        'intermediate.listened_between',
        'longest_streak bigint, busiest_date date, busiest_ms bigint, top_hour integer, skips bigint,'
        ~ ' plays_judged bigint, sessions bigint, longest_session_ms bigint',
        body
    ) }}
{%- endmacro %}

{# How many recordings and artists a period has, in one row. #}
{% macro function_counted_between() -%}
    {% set body %}
        with

        whole as materialized (

            select {{ is_whole_year() }} as is_year

        ),

        tracks as materialized (

            select
                heard.track_uri,
                heard.recording_key
            from intermediate.plays_by_track(of_account, from_date, to_date) as heard

        )

        select
            (select count(distinct tracks.recording_key) from tracks),
            case
                when (select whole.is_year from whole)
                    then (
                        select count(*)
                        from {{ ref('fct_artist_years') }} as years
                        where years.account = of_account and years.played_year = extract(year from from_date)
                    )
                else (
                    select count(distinct credits.artist_key)
                    from tracks
                    inner join {{ credits_of_account() }} as credits on tracks.track_uri = credits.track_uri
                )
            end
    {% endset %}
    {{ table_function('intermediate.counted_between', 'tracks bigint, artists bigint', body) }}
{%- endmacro %}
