{#
    The rules of the seed file, and the one that [listener] shortest_play_seconds stands for. A play of less than that many
    seconds is excluded like any other, so that it stays in fct_plays and comes back if the setting goes.
#}
{% macro every_exclusion_rule() -%}
    {%- set shortest = env_var('LISTENER_SHORTEST_PLAY_SECONDS', '0') | int -%}
    select
        rule_id,
        is_active,
        account,
        kind,
        value,
        from_date,
        to_date,
        why
    from {{ ref('exclusion_rules') }}
    {% if shortest > 0 %}
        union all
        select
            '(shortest_play_seconds)' as rule_id,
            true as is_active,
            null as account,
            'shorter_than' as kind,
            '{{ shortest }}' as value,
            null::date as from_date,
            null::date as to_date,
            'LISTENER_SHORTEST_PLAY_SECONDS' as why
    {% endif %}
{%- endmacro %}

{# What a rule names: the bare id of a Spotify URI or link, else the words as they stand. #}
{% macro named_in(value) -%}
    regexp_replace(
        regexp_replace({{ value }}, '^(spotify:[a-z]+:|https?://open\.spotify\.com/([a-z-]+/)?[a-z]+/)', ''), '\?.*$', ''
    )
{%- endmacro %}

{# Rules of the kinds track, artist, album and genre, by track: `rule_id, account, track_uri`. #}
{% macro tracks_of_rules(rules) -%}
    select
        rules.rule_id,
        tracks.account,
        tracks.track_uri
    from {{ rules }} as rules
    inner join {{ ref('dim_tracks') }} as tracks
        on
            tracks.account = coalesce(rules.account, tracks.account)
            and (
                (
                    rules.kind = 'track'
                    and (tracks.track_uri = rules.value or tracks.track_id = {{ named_in('rules.value') }})
                )
                or (
                    rules.kind = 'album'
                    and (tracks.album_id = {{ named_in('rules.value') }} or {{ folded_name('tracks.album_name') }} = {{ folded_name('rules.value') }})
                )
            )
    where rules.kind in ('track', 'album')

    union

    select
        named.rule_id,
        credits.account,
        credits.track_uri
    from (
        select
            rules.rule_id,
            artists.account,
            artists.artist_key
        from {{ rules }} as rules
        inner join {{ ref('dim_artists') }} as artists
            on
                artists.account = coalesce(rules.account, artists.account)
                and (artists.artist_id = {{ named_in('rules.value') }} or {{ folded_name('artists.artist_name') }} = {{ folded_name('rules.value') }})
        where rules.kind = 'artist'
        union
        select
            rules.rule_id,
            genres.account,
            genres.artist_key
        from {{ rules }} as rules
        inner join {{ ref('bridge_artist_genres') }} as genres
            on
                genres.account = coalesce(rules.account, genres.account)
                and {{ folded_name('genres.genre') }} = {{ folded_name('rules.value') }}
        where rules.kind = 'genre'
    ) as named
    inner join {{ ref('bridge_track_artists') }} as credits
        on named.account = credits.account and named.artist_key = credits.artist_key
{%- endmacro %}

{# Whether a rule of one of the other kinds speaks of a play. #}
{% macro rule_matches_play(rules, plays) -%}
    {{ plays }}.account = coalesce({{ rules }}.account, {{ plays }}.account)
    and case {{ rules }}.kind
        when 'play' then {{ plays }}.play_id = {{ rules }}.value
        when 'account' then {{ plays }}.account = coalesce({{ rules }}.value, {{ rules }}.account)
        when 'platform' then strpos({{ folded_name(plays ~ '.platform') }}, {{ folded_name(rules ~ '.value') }}) > 0
        when 'hour_window' then
            {{ rules }}.value ~ '{{ hour_window_pattern() }}'
            and (
                {{ plays }}.played_hour - split_part({{ rules }}.value, '-', 1)::integer + 24
            ) % 24 < (
                split_part({{ rules }}.value, '-', 2)::integer - split_part({{ rules }}.value, '-', 1)::integer + 23
            ) % 24 + 1
        when 'shorter_than' then
            case
                when {{ rules }}.value ~ '{{ seconds_pattern() }}'
                    then {{ plays }}.ms_played < {{ rules }}.value::bigint * 1000
                else false
            end
        else false
    end
    and {{ rule_holds_on(rules, plays ~ '.played_date') }}
{%- endmacro %}

{# Whether a rule holds on a local date. #}
{% macro rule_holds_on(rules, date) -%}
    {{ date }} between coalesce({{ rules }}.from_date, '-infinity') and coalesce({{ rules }}.to_date, 'infinity')
{%- endmacro %}

{% macro hour_window_pattern() -%}
    ^([01]?[0-9]|2[0-3])-([01]?[0-9]|2[0-4])$
{%- endmacro %}

{% macro seconds_pattern() -%}
    ^[0-9]{1,9}$
{%- endmacro %}
