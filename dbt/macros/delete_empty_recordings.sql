{# Before recordings are counted anew, in the same transaction: take out those that have lost their last track. #}
{% macro delete_empty_recordings() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        where
            built.track_uris ?| (select array_agg(touched.track_uri) from ({{ touched_tracks() }}) as touched)
            and not exists (
                select 1
                from {{ ref('int_track_totals') }} as totals
                where totals.account = built.account and totals.recording_key = built.recording_key
            )
    {% endif %}
{%- endmacro %}
