{#
    A function of the database, for what a view cannot be told: between which dates to count. dbt knows functions of one
    value only, so each is made with a model. The body is text to PostgreSQL: a view that is built anew takes none along.
    `is_public`: it reads with its owner's rights, as views do, so that who may read `reporting` needs no other schema.
    PostgreSQL does not merge such a function into the query, so the steps between are not. Nor
    is it compiled: that takes longer than it saves.
#}
{% macro table_function(name, columns, body, arguments='of_account text, from_date date, to_date date', is_public=false) -%}
    drop function if exists {{ name }} cascade;
    create function {{ name }} ({{ arguments }})
    returns table ({{ columns }})
    language sql
    stable
    {% if is_public -%}
        security definer
        set search_path = pg_catalog, pg_temp
        set jit = off
    {% endif -%}
    as $body$ {{ body }} $body$
{%- endmacro %}

{#
    The tops. Whoever needs the first alone says so with `up_to_rank`: PostgreSQL ranks no further, and looks up no more names.
#}
{% macro tops_function(name, columns, body) -%}
    {{ table_function(
        'reporting.' ~ name,
        columns,
        body,
        'of_account text, from_date date, to_date date, up_to_rank bigint default null',
        is_public=true
    ) }}
{%- endmacro %}

{% macro is_asked_for(rank) -%}
    {{ rank }} <= coalesce(up_to_rank, 9223372036854775807)
{%- endmacro %}

{#
    What was heard of each track between the dates, with its recording and album.
#}
{% macro tracks_heard() -%}
    select
        summed.*,
        totals.recording_key,
        totals.album_key
    from (
        select
            parts.track_uri,
            sum(parts.plays) as plays,
            sum(parts.ms_played)::bigint as ms_played,
            sum(parts.ms_estimated)::bigint as ms_estimated,
            max(parts.last_played_at) as last_played_at
        from intermediate.parts_by_track(of_account, from_date, to_date) as parts
        group by parts.track_uri
    ) as summed
    inner join {{ tracks_of_account() }} as totals on summed.track_uri = totals.track_uri
{%- endmacro %}

{# `offset 0`: PostgreSQL goes through the account's tracks once, which is quicker than to look each one up. #}
{% macro tracks_of_account() -%}
    (
        select
            totals.track_uri,
            totals.recording_key,
            totals.album_key
        from {{ ref('int_track_totals') }} as totals
        where totals.account = of_account
        offset 0
    )
{%- endmacro %}

{# The artists credited on each track, and how many there are; gone through likewise. #}
{% macro credits_of_account() -%}
    (
        select
            credits.track_uri,
            credits.artist_key,
            credits.credited
        from {{ ref('int_track_credits') }} as credits
        where credits.account = of_account
        offset 0
    )
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

{# Whether an open gap lies between the dates. #}
{% macro is_at_least_between() -%}
    (
        select {{ has_open_gap_between('accounts', 'from_date', 'to_date') }}
        from {{ ref('dim_accounts') }} as accounts
        where accounts.account = of_account
    )
{%- endmacro %}
