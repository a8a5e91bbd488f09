{#
    CTE `told_steps` out of a relation of polled rows that holds all rows of each of its moments: every row, with `play_uri`,
    the track that it is counted as. The Web API can return one play under two URIs (relinking): rows of one account with
    the same played_at are one play if they are of one ISRC, or of one title and first artist. It is counted as the row
    that was captured first; of one capture, as the smallest URI. Nearly every moment has one row, and only where there are
    more is a name normalised.
#}
{% macro told_steps(rows) -%}
    steps_of_moments as (

        select
            account,
            played_at,
            track_uri,
            duration_ms,
            isrc,
            captured_at,
            load_id,
            track_name,
            artist_credits -> 0 ->> 'name' as first_artist_name,
            count(*) over (partition by account, played_at) as rows_of_moment
        from {{ rows }}

    ),

    steps_by_isrc as (

        select
            *,
            case
                when rows_of_moment > 1
                    then
                        coalesce(
                            {{ normalised_name('track_name') }} || '|' || {{ normalised_name('first_artist_name') }},
                            track_uri
                        )
            end as name_key,
            case
                when rows_of_moment > 1
                    then
                        first_value(track_uri) over (
                            partition by account, played_at, coalesce(isrc, track_uri) order by captured_at, track_uri
                        )
                else track_uri
            end as uri_of_isrc
        from steps_of_moments

    ),

    told_steps as (

        select
            account,
            played_at,
            track_uri,
            duration_ms,
            isrc,
            captured_at,
            load_id,
            case
                when rows_of_moment > 1
                    then
                        first_value(uri_of_isrc) over (
                            partition by account, played_at, name_key order by captured_at, track_uri
                        )
                else track_uri
            end as play_uri
        from steps_by_isrc

    )
{%- endmacro %}

{#
    How long a step was heard at most: the time since the moment before. Tracks that end at one moment share it in
    proportion to their lengths, so that none of them counts as 0 ms and together they are no longer than the time.
#}
{% macro heard_ms(duration_ms, durations_of_moment, steps_of_moment, gap_ms) -%}
    case
        when {{ steps_of_moment }} = 1 then least({{ duration_ms }}, coalesce({{ gap_ms }}, {{ duration_ms }}))
        else
            div(
                {{ duration_ms }}::numeric
                * least({{ durations_of_moment }}, coalesce({{ gap_ms }}, {{ durations_of_moment }})),
                greatest({{ durations_of_moment }}, 1)
            )::bigint
    end
{%- endmacro %}
