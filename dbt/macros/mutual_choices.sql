{#
    CTEs `<name>_chosen` and `<name>_open` out of candidate pairs: those that are the nearest for both their plays, which
    nearest first is sure to take; and what is left when their plays are taken. A round of this leaves little to walk
    through one by one, however long a loop was.
#}
{% macro mutual_choices(name, candidates) -%}
    {% set polled = 'account, polled_at, polled_track_uri' %}
    {% set exported = 'account, export_reported_at, export_row_id' %}
    {{ name }}_ranked as (

        select
            *,
            row_number() over (partition by {{ polled }} order by {{ nearest_first() }}) as polled_choice,
            row_number() over (partition by {{ exported }} order by {{ nearest_first() }}) as export_choice
        from {{ candidates }}

    ),

    {{ name }}_chosen as (

        select * from {{ name }}_ranked
        where polled_choice = 1 and export_choice = 1

    ),

    {{ name }}_open as (

        select candidate.*
        from {{ name }}_ranked as candidate
        where
            not exists (
                select 1
                from {{ name }}_chosen as chosen
                where
                    chosen.account = candidate.account
                    and chosen.polled_at = candidate.polled_at
                    and chosen.polled_track_uri = candidate.polled_track_uri
            )
            and not exists (
                select 1
                from {{ name }}_chosen as chosen
                where
                    chosen.account = candidate.account
                    and chosen.export_reported_at = candidate.export_reported_at
                    and chosen.export_row_id = candidate.export_row_id
            )

    )
{%- endmacro %}

{# The order in which pairs are taken; the last columns only make it the same every time. #}
{% macro nearest_first() -%}
    pass asc, abs(difference_ms) asc, polled_at asc, export_played_at asc, polled_track_uri asc,
    export_reported_at asc, export_row_id asc
{%- endmacro %}
