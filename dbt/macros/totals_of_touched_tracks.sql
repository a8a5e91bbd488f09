{#
    For totals of several tracks: the keys, recording_key or album_key, of those to which a touched track belongs, and of
    those to which it belonged, which name it among their track_uris.
#}
{% macro totals_of_touched_tracks(key) -%}
    with

    touched as (

        {{ touched_tracks() }}

    )

    select
        totals.account,
        totals.{{ key }}
    from {{ ref('int_track_totals') }} as totals
    inner join touched on totals.account = touched.account and totals.track_uri = touched.track_uri
    union
    select
        known.account,
        known.{{ key }}
    from {{ this }} as known
    where known.track_uris ?| (select array_agg(touched.track_uri) from touched)
{%- endmacro %}

{# Before they are counted anew, in the same transaction: take out those that have lost their last track. #}
{% macro delete_empty_totals(key) -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        where
            built.track_uris ?| (select array_agg(touched.track_uri) from ({{ touched_tracks() }}) as touched)
            and not exists (
                select 1
                from {{ ref('int_track_totals') }} as totals
                where totals.account = built.account and totals.{{ key }} = built.{{ key }}
            )
    {% endif %}
{%- endmacro %}
