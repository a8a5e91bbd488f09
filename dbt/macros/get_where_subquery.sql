{#
    dbt's own macro, with one word added: a test configured `where: news` looks at the days of the last run when the
    pipeline tests a slot (DBT_TEST_SCOPE=news), and at the whole history otherwise.
#}
{% macro get_where_subquery(relation) -%}
    {% set where = config.get('where') %}
    {% if where == 'news' %}
        {% if env_var('DBT_TEST_SCOPE', 'full') == 'news' %}
            {% set where = '(account, played_date_utc) in (select account, day_utc from intermediate.int_days_to_rebuild)' %}
        {% else %}
            {% set where = none %}
        {% endif %}
    {% endif %}
    {% if where %}
        (select * from {{ relation }} where {{ where }}) dbt_subquery
    {% else %}
        {{ relation }}
    {% endif %}
{%- endmacro %}
