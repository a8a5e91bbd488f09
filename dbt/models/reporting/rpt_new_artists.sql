-- Every artist by the week in which they were first heard.
with

artists as (

    select
        totals.*,
        {{ local_time('totals.first_played_at', 'totals.account') }}::date as first_played_date
    from {{ ref('int_artist_totals') }} as totals

),

dated as (

    select
        *,
        date_trunc('week', first_played_date)::date as week_start
    from artists

)

select
    dated.account,
    dim.artist_name,
    dated.first_played_at,
    dated.first_played_date,
    dated.week_start,
    dated.week_start = date_trunc('week', accounts.today)::date as is_this_week,
    rank() over (
        partition by dated.account, dated.week_start
        order by dated.plays desc, dated.ms_played desc
    ) as rank_of_week,
    dated.plays,
    {{ minutes('dated.ms_played') }} as minutes,
    {{ minutes('dated.ms_estimated') }} as minutes_estimated,
    dated.artist_key
from dated
inner join {{ ref('dim_artists') }} as dim
    on dated.account = dim.account and dated.artist_key = dim.artist_key
inner join {{ ref('dim_accounts') }} as accounts on dated.account = accounts.account
