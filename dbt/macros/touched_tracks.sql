{#
    The tracks whose totals may have changed: those with plays on the rebuilt days, and those that were polled on them. A
    polled row can have been the only play of its track until it turned out to be one of the export's, or a row of another
    URI of the same recording and moment. And those that rules
    exclude now, or do no more.
#}
{% macro touched_tracks() -%}
    {% for plays in ('fct_plays', 'stg_spotify__plays') %}
        select
            plays.account,
            plays.track_uri
        from {{ ref(plays) }} as plays
        inner join {{ ref('int_days_to_rebuild') }} as rebuilt
            on plays.account = rebuilt.account and plays.played_date_utc = rebuilt.day_utc
        union
    {% endfor %}
    select
        excluded.account,
        excluded.track_uri
    from {{ ref('int_excluded_tracks') }} as excluded
    where excluded.{{ is_news('changed_in_load') }}
{%- endmacro %}

{# Before they are counted anew, in the same transaction: take out what they were. #}
{% macro delete_touched_tracks() -%}
    {% if is_incremental() %}
        delete from {{ this }} as built
        using ({{ touched_tracks() }}) as touched
        where built.account = touched.account and built.track_uri = touched.track_uri
    {% endif %}
{%- endmacro %}
