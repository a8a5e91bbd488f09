{#
    What a period is remembered by, in one row; and how many recordings and artists the period before it has, which
    begins on before_date. Both are counted at once, for most of the work is to go through the tracks of the account and
    their credits.
#}
{% macro function_heard_between() -%}
    {% set body %}
        with

        -- Of a calendar year the artists are counted already.
        whole as materialized (

            select
                from_date = date_trunc('year', from_date)::date
                and to_date = (from_date + interval '1 year')::date - 1 as is_year

        ),

        parts as (

            select
                now.track_uri,
                now.plays,
                now.ms_played,
                now.last_played_at,
                false as is_before
            from intermediate.parts_by_track(of_account, from_date, to_date) as now
            union all
            select
                before.track_uri,
                null as plays,
                null as ms_played,
                null as last_played_at,
                true as is_before
            from intermediate.parts_by_track(of_account, before_date, from_date - 1) as before

        ),

        summed as (

            select
                track_uri,
                sum(plays) as plays,
                sum(ms_played)::bigint as ms_played,
                max(last_played_at) as last_played_at,
                bool_or(is_before) as is_before
            from parts
            group by track_uri

        ),

        tracks as materialized (

            select
                summed.*,
                totals.recording_key,
                totals.album_key
            from summed
            inner join {{ tracks_of_account() }} as totals on summed.track_uri = totals.track_uri

        ),

        recordings as materialized (

            select
                recording_key,
                sum(plays) as plays,
                sum(ms_played) as ms_played,
                bool_or(is_before) as is_before
            from tracks
            group by recording_key

        ),

        artists_of_both as materialized (

            select
                years.artist_key,
                years.plays,
                years.ms_played,
                years.plays_shared,
                years.ms_shared,
                false as is_before
            from {{ ref('fct_artist_years') }} as years
            where
                years.account = of_account
                and years.played_year = extract(year from from_date)::integer
                and (select whole.is_year from whole)
            union all
            select
                years.artist_key,
                null as plays,
                null as ms_played,
                null as plays_shared,
                null as ms_shared,
                true as is_before
            from {{ ref('fct_artist_years') }} as years
            where
                years.account = of_account
                and years.played_year = extract(year from before_date)::integer
                and (select whole.is_year from whole)
            union all
            select
                credits.artist_key,
                sum(tracks.plays) as plays,
                sum(tracks.ms_played) as ms_played,
                sum(tracks.plays::numeric / credits.credited) as plays_shared,
                sum(tracks.ms_played::numeric / credits.credited) as ms_shared,
                bool_or(tracks.is_before) as is_before
            from tracks
            inner join {{ credits_of_account() }} as credits on tracks.track_uri = credits.track_uri
            where not (select whole.is_year from whole)
            group by credits.artist_key

        ),

        artists as (

            select * from artists_of_both
            where plays > 0

        ),

        albums as materialized (

            select
                album_key,
                sum(plays) as plays,
                sum(ms_played) as ms_played
            from tracks
            where plays > 0 and album_key is not null
            group by album_key

        ),

        genres as (

            {{ genres_of_artists() }}

        ),

        top_recording as (

            select * from recordings
            where plays > 0
            order by plays desc, ms_played desc, recording_key asc
            limit 1

        ),

        top_track as (

            select
                tracks.track_uri,
                top_recording.plays
            from top_recording
            inner join tracks on top_recording.recording_key = tracks.recording_key
            where tracks.plays > 0
            order by tracks.plays desc, tracks.last_played_at desc, tracks.track_uri asc
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
            (select count(*) from recordings where plays > 0) as tracks,
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
            top_genre.plays as top_genre_plays,
            (select count(*) from recordings where is_before) as tracks_before,
            (select count(*) from artists_of_both where is_before) as artists_before
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
        ~ ' top_album_plays bigint, top_genre text, top_genre_plays numeric, tracks_before bigint,'
        ~ ' artists_before bigint',
        body,
        'of_account text, from_date date, to_date date, before_date date',
        is_public=true
    ) }}
{%- endmacro %}
