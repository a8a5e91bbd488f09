{{
    config(
        pre_hook="{% if is_incremental() %} delete from {{ this }} {% endif %}",
        post_hook="analyze {{ this }}"
    )
}}

-- A late play changes its own day; at midnight it can also change how its neighbours are heard and to which day a play
-- in two steps belongs. So the day before and the day after are rebuilt with it.
with

plays as (

    select * from {{ ref('stg_spotify__plays') }}

),

days_with_news as (

    select distinct
        account,
        played_date_utc
    from plays
    {% if is_incremental() %}
        where {{ is_news() }}
    {% endif %}

)

select distinct
    days_with_news.account,
    (days_with_news.played_date_utc + neighbour.days)::date as day_utc
from days_with_news
cross join (values (-1), (0), (1)) as neighbour (days)
