-- One account's history, made where it is kept. Parameters: account (a number), name, plays, mates, end.

-- Evenly distributed in [0, 1), by number and purpose.
create or replace function pg_temp.chance(number bigint, purpose integer) returns float8 language sql immutable as
'select ((hashint8extended(number, purpose) >> 11) & 9007199254740991) / 9007199254740992.0::float8';

-- When what was heard, counted from the newest play back. `mates` tells the favourites of one household apart.
create temporary table heard on commit drop as
with plays as (
    select
        n,
        (n - 1) / 274 as day,
        %(account)s * 100000000::bigint + n as play,
        pg_temp.chance(%(account)s * 100000000::bigint + n, 1) as habit,
        pg_temp.chance(%(account)s * 100000000::bigint + n - 1, 1) as habit_after
    from generate_series(1, %(plays)s) as n
), choices as (
    -- Returned twice, in two parts, or on repeat: the track of the play before.
    select *, play + (habit < 0.04)::integer as choice from plays
), tracks as (
    select
        *,
        case
            when pg_temp.chance(choice, 2) < 0.03 then 20000 + choice
            else (floor(20 * power(1001, pg_temp.chance(choice, 3)) - 20)::bigint * %(mates)s) %% 20000
        end as track
    from choices
    offset 0
), timed as (
    select
        *,
        greatest(45000, 215000 + 87000 * (
            pg_temp.chance(track, 4) + pg_temp.chance(track, 5)
            + pg_temp.chance(track, 6) + pg_temp.chance(track, 7) - 2
        ))::integer as duration_ms
    from tracks
    offset 0
), steps as (
    select
        *,
        case
            when habit < 0.01 then 1700
            when habit < 0.02 then duration_ms * 0.2
            when habit_after >= 0.01 and habit_after < 0.02 then duration_ms * 0.8
            when habit >= 0.04 and habit < 0.14 then duration_ms * (0.05 + 0.55 * pg_temp.chance(play, 8))
            else duration_ms
        end + case
            when habit >= 0.04 and pg_temp.chance(play, 9) < 0.05 then 30000 + 570000 * pg_temp.chance(play, 10)
            else 0
        end as step_ms,
        -- Every 34th day is silent; bedtime is half an hour before that of the last day to two hours after it.
        %(end)s::timestamptz - interval '1 day' * (day + day / 33)
        - interval '1 minute' * case when day > 0 then 30 - floor(150 * pg_temp.chance(play - n + day, 11)) else 0 end
            as bedtime
    from timed
)
select
    n,
    track,
    duration_ms,
    bedtime - interval '1 millisecond' * (sum(step_ms) over (partition by day order by n) - step_ms)::bigint as played_at
from steps;
analyze heard;

-- The slot in which a play is polled: the next half hour, or the afternoon.
create or replace function pg_temp.next_slot(moment timestamptz) returns timestamptz language sql immutable as
'select case
    when extract(hour from slot) between 7 and 13 then date_trunc(''day'', slot) + interval ''14 hours'' else slot
end from date_bin(''30 minutes'', moment + interval ''30 minutes'', timestamptz ''2000-01-01'') as slot';

-- The tracks of these plays as the Web API describes them.
create temporary table described on commit drop as
with tracks as (
    select distinct track, duration_ms from heard
), numbered as (
    select
        *,
        track / 8 as album,
        floor(power(3001, pg_temp.chance(track / 8, 20)))::integer as artist,
        case when pg_temp.chance(track, 21) < 0.2 then floor(power(3001, pg_temp.chance(track, 22)))::integer end
            as guest,
        -- One in fifty is another release of its neighbour's recording.
        track + (pg_temp.chance(track, 23) < 0.02)::integer as recording
    from tracks
), credits as (
    select
        *,
        'artist' || lpad(artist::text, 16, '0') as artist_id,
        jsonb_build_array(
            jsonb_build_object('id', 'artist' || lpad(artist::text, 16, '0'), 'name', 'The artist ' || artist)
        ) as album_artists
    from numbered
)
select
    *,
    album_artists || case
        when guest != artist then jsonb_build_array(
            jsonb_build_object('id', 'artist' || lpad(guest::text, 16, '0'), 'name', 'The artist ' || guest)
        )
        else '[]'
    end as artists,
    'track' || lpad(track::text, 17, '0') as track_id,
    'album' || lpad(album::text, 17, '0') as album_id
from credits;

-- As polled and loaded, the oldest first.
insert into staging.spotify_songs
select
    %(name)s, played_at, (played_at at time zone 'UTC')::date, 'The track with number ' || track,
    'The artist ' || artist, duration_ms, 'https://open.spotify.com/track/' || track_id,
    'https://i.scdn.co/image/' || lpad(album::text, 40, '0'), 'The album with number ' || album, album_id, artist_id,
    track_id, 'QZ' || lpad(recording::text, 10, '0'), 'spotify:track:' || track_id, false,
    pg_temp.chance(track, 24) < 0.1, 1, track %% 8 + 1, 'album', 1975 + track %% 48 || '-05-17', 'day', 8, artists,
    album_artists, null, null, pg_temp.next_slot(played_at) + interval '5 seconds',
    current_setting('pipeline.load_id')::bigint
from (select * from heard order by n desc) as heard
inner join described using (track, duration_ms);

-- A poll in every slot, for as long as the history is; about one in five thousand tells of a gap.
insert into staging.polls (
    account, fetched_at, slot, outcome, items, new_plays, skipped, unreadable, oldest, newest, overlap, calls_used,
    record
)
with news as (
    select pg_temp.next_slot(played_at) as slot, min(played_at) as oldest, max(played_at) as newest, count(*) as new_plays
    from heard
    group by 1
), pages as (
    select
        slot,
        news.oldest,
        news.newest,
        news.new_plays,
        news.new_plays is null or pg_temp.chance(extract(epoch from slot)::bigint, 30) > 0.0002 as overlap
    from generate_series((select min(slot) from news), (select max(slot) from news), interval '30 minutes') as slot
    left join news using (slot)
    where extract(hour from slot) not between 7 and 13
)
select
    %(name)s, slot + interval '5 seconds', slot, 'polled', 50, least(coalesce(new_plays, 0), 50), 0, 0,
    case when overlap then slot - interval '8 hours' else oldest end, newest, overlap, 1,
    'polls/account=' || %(name)s || to_char(slot, '/YYYY/MM/DD"T"HH24MI".json"')
from pages;

-- One to three genres for nine artists in ten.
insert into staging.spotify_genres
select distinct
    %(name)s, 'artist' || lpad(artist::text, 16, '0'), 'The artist ' || artist,
    case when pg_temp.chance(artist, 40) > 0.1 then 'genre ' || floor(power(120, pg_temp.chance(artist * 3 + n, 41))) end,
    'musicbrainz', null::integer, 'isrc', null, 'absent', %(end)s::date, %(end)s::timestamptz,
    current_setting('pipeline.load_id')::bigint
from generate_series(1, 3000) as artist
cross join generate_series(0, 2) as n
where n = 0 or pg_temp.chance(artist * 3 + n, 42) < 0.6;

-- The library: 2,000 tracks.
insert into staging.spotify_saved_tracks
select
    %(name)s, %(end)s::timestamptz, %(end)s::date, 'saved', %(end)s::timestamptz - n * interval '1 day',
    'spotify:track:' || id, id, 'QZ' || lpad(track::text, 10, '0'), 'The track with number ' || track, null,
    jsonb_build_array(jsonb_build_object('id', null, 'name', 'Somebody')), null, null, null,
    'https://open.spotify.com/track/' || id, 200000, false, current_setting('pipeline.load_id')::bigint
from generate_series(1, 2000) as n
cross join lateral (select case when n %% 10 = 0 then 10000 + n else n end as track) as chosen
cross join lateral (select 'track' || lpad(track::text, 17, '0') as id) as named;
