{#
    Spotify lets a device play offline for 30 days. So the pairs of int_offline_matches whose export rows were reported within
    this many days of a rebuilt day may be others now: a polled play of that day may belong to a sync up to 31 days later,
    and an export row of that day may compete for a play that another sync of the 31 days before or after has.
#}
{% macro offline_reach_days() -%} 33 {%- endmacro %}

{# Spans of UTC days within `days` of a rebuilt day, disjoint: `account, span` (a daterange). #}
{% macro spans_around_rebuilt_days(days) -%}
    select
        rebuilt.account,
        unnest(
            range_agg(daterange(rebuilt.day_utc - {{ days }}, rebuilt.day_utc + {{ days }}, '[]'))
        ) as span
    from {{ ref('int_days_to_rebuild') }} as rebuilt
    group by rebuilt.account
{%- endmacro %}

{#
    The rows of `relation` on the days of a CTE `spans` (account, span), each span looked up in the index whatever
    PostgreSQL estimates; only those that are `kept`.
#}
{% macro rows_of_spans(relation, spans, kept='true') -%}
    {{ spans }}
    cross join lateral (
        select those.*
        from {{ relation }} as those
        where
            those.account = {{ spans }}.account
            and those.played_date_utc >= lower({{ spans }}.span)
            and those.played_date_utc < upper({{ spans }}.span)
            and {{ kept }}
        offset 0  -- noqa: AM09
    )
{%- endmacro %}

{# Rows of int_history_plays that may stand at the second of a sync: those of a CTE of spans; in a full build all rows. #}
{% macro rows_of_syncs(spans) -%}
    {% if is_incremental() -%}
        {{ rows_of_spans(ref('int_history_plays'), spans, 'those.is_undated') }}
    {%- else -%}
        {{ ref('int_history_plays') }}
    {%- endif %}
{%- endmacro %}

{#
    Before the pairs around rebuilt days are put in, in the same transaction: set aside what they were, and take them out.
#}
{% macro set_offline_matches_aside() -%}
    {% if is_incremental() %}
        create temporary table offline_matches_before on commit drop as
        select built.*
        from {{ this }} as built
        inner join ({{ spans_around_rebuilt_days(offline_reach_days()) }}) as around
            on built.account = around.account and built.export_date_utc <@ around.span;
        delete from {{ this }} as built
        using offline_matches_before as before
        where
            built.account = before.account
            and built.export_reported_at = before.export_reported_at
            and built.export_row_id = before.export_row_id
    {% endif %}
{%- endmacro %}

{# Afterwards, in the same transaction: both days of every pair that came or went are days to rebuild as well. #}
{% macro add_days_of_changed_offline_matches() -%}
    {% if is_incremental() %}
        insert into {{ ref('int_days_to_rebuild') }} (account, day_utc, found_in_load)
        select distinct
            changed.account,
            changed_day.day_utc,
            {{ newest_load() }}
        from (
            (select * from offline_matches_before except select * from {{ this }})
            union all
            (
                select built.*
                from {{ this }} as built
                inner join ({{ spans_around_rebuilt_days(offline_reach_days()) }}) as around
                    on built.account = around.account and built.export_date_utc <@ around.span
                except
                select * from offline_matches_before
            )
        ) as changed
        cross join lateral (values (changed.polled_date_utc), (changed.export_date_utc)) as changed_day (day_utc)
        where
            not exists (
                select 1
                from {{ ref('int_days_to_rebuild') }} as known
                where known.account = changed.account and known.day_utc = changed_day.day_utc
            )
    {% endif %}
{%- endmacro %}
