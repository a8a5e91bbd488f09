-- The whole history in one row per account.
with

accounts as (

    select * from {{ ref('dim_accounts') }}
    where first_played_date is not null

),

listened as (

    select
        account,
        sum(plays)::bigint as plays,
        sum(ms_played) as ms_played,
        sum(ms_estimated) as ms_estimated,
        count(*) filter (where plays > 0) as days_listened
    from {{ ref('fct_listening_days') }}
    group by account

),

tracks as (

    select
        account,
        count(*) as tracks
    from {{ ref('int_recording_totals') }}
    group by account

),

albums as (

    select
        account,
        count(*) as albums
    from {{ ref('int_album_totals') }}
    group by account

),

artists as (

    select
        account,
        count(distinct artist_key) as artists
    from {{ ref('fct_artist_years') }}
    group by account

)

select
    accounts.account,
    listened.plays,
    tracks.tracks,
    coalesce(artists.artists, 0) as artists,
    coalesce(albums.albums, 0) as albums,
    {{ minutes('listened.ms_played') }} as minutes,
    {{ minutes('listened.ms_estimated') }} as minutes_estimated,
    listened.days_listened,
    accounts.today - accounts.first_played_date + 1 as days,
    accounts.first_played_date,
    accounts.last_played_date,
    accounts.today,
    accounts.has_open_gap as is_at_least
from accounts
inner join listened on accounts.account = listened.account
inner join tracks on accounts.account = tracks.account
left join albums on accounts.account = albums.account
left join artists on accounts.account = artists.account
