-- How much of the history has a genre: a play does when any artist credited on it does.
with

totals as (

    select * from {{ ref('int_track_totals') }}

),

asked as not materialized (

    select
        account,
        artist_id,
        bool_or(genre is not null) as has_genre
    from {{ ref('stg_spotify__artist_genres') }}
    group by account, artist_id

),

artists as not materialized (

    select
        dim.account,
        dim.artist_key,
        dim.artist_id is not null as can_be_asked,
        asked.artist_id is not null as is_asked,
        asked.has_genre is true as has_genre
    from {{ ref('dim_artists') }} as dim
    left join asked on dim.account = asked.account and dim.artist_id = asked.artist_id

),

-- Outer joined, so that PostgreSQL goes through the credits once and does not look up those of each artist.
credited as (

    select
        credits.account,
        credits.track_uri,
        coalesce(bool_or(asked.has_genre), false) as has_genre
    from {{ ref('bridge_track_artists') }} as credits
    left join asked on credits.account = asked.account and credits.artist_key = asked.artist_id
    group by credits.account, credits.track_uri

),

plays as (

    select
        totals.account,
        sum(totals.plays)::bigint as plays,
        coalesce(sum(totals.plays) filter (where credited.has_genre), 0)::bigint as plays_with_genre
    from totals
    left join credited on totals.account = credited.account and totals.track_uri = credited.track_uri
    group by totals.account

),

artist_counts as (

    select
        account,
        count(*) as artists,
        count(*) filter (where can_be_asked and not is_asked) as artists_waiting,
        count(*) filter (where has_genre) as artists_with_genre
    from artists
    group by account

)

select
    plays.account,
    plays.plays,
    plays.plays_with_genre,
    round(plays.plays_with_genre::numeric / plays.plays, 4)::numeric(5, 4) as share_of_plays,
    artist_counts.artists,
    artist_counts.artists_with_genre,
    artist_counts.artists_waiting
from plays
inner join artist_counts on plays.account = artist_counts.account
