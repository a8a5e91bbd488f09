{{ config(post_hook="{{ function_top_tracks() }}") }}

-- depends_on: {{ ref('dim_tracks') }}
-- depends_on: {{ ref('int_artist_totals') }}
-- depends_on: {{ ref('int_track_totals') }}

-- Every recording by its plays over the whole history, all of its releases together. For a range of dates:
-- reporting.top_tracks(account, from_date, to_date).
with

ranked as (

    select
        *,
        rank() over (partition by account order by plays desc, ms_played desc) as rank
    from {{ ref('int_recording_totals') }}

)

select
    ranked.account,
    ranked.rank,
    ranked.track_name,
    ranked.artists,
    ranked.plays,
    {{ minutes('ranked.ms_played') }} as minutes,
    {{ minutes('ranked.ms_estimated') }} as minutes_estimated,
    ranked.skips,
    {{ share('ranked.skips', 'ranked.plays_judged') }} as skip_share,
    ranked.first_played_at,
    ranked.last_played_at,
    {{ local_time('ranked.last_played_at', 'ranked.account') }}::date as last_played_date,
    ranked.versions,
    accounts.has_open_gap as is_at_least,
    ranked.recording_key,
    ranked.track_uri,
    ranked.track_url
from ranked
inner join {{ ref('dim_accounts') }} as accounts on ranked.account = accounts.account
