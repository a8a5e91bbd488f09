{# The steps in which differences between the sources are counted, in seconds: above the one, up to the other. #}
{% macro difference_steps() -%}
    {% set bounds = [none, -30, -10, -5, -2, -1, 0, 1, 2, 5, 10, 30, none] %}
    {% set steps = [] %}
    {% for n in range(bounds | length - 1) %}
        {% set above, upto = bounds[n], bounds[n + 1] %}
        {% set name %}
            {%- if above is none %}up to {{ upto }} s
            {%- elif upto is none %}over {{ above }} s
            {%- else %}{{ above }} to {{ upto }} s
            {%- endif %}
        {%- endset %}
        {% do steps.append({'above': above, 'upto': upto, 'name': name | trim}) %}
    {% endfor %}
    {{ return(steps) }}
{%- endmacro %}
