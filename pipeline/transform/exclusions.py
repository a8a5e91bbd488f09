"""What the rules of dbt/seeds/exclusion_rules.csv remove, or would: looked at before anything is counted by them."""

from __future__ import annotations

from typing import Any

from psycopg2.extras import RealDictCursor

from pipeline.load.postgres import held_warehouse, transaction
from pipeline.transform import dbt

SEED = dbt.PROJECT / "seeds" / "exclusion_rules.csv"
NIGHTS = 10
WRONG = "wrong: "


class NothingBuilt(Exception):
    """There are no marts yet, so nobody can say what a rule would remove."""


def preview() -> tuple[str, bool]:
    """Read the file anew and say what each of its rules is about; counts nothing by them.

    Returns the screen, and whether every rule can be read. Plays and minutes are of all that a rule matches, whether
    another rule matches it too. Raises NothingBuilt, and DbtFailed where the file is no table of rules.
    """
    with held_warehouse():
        with transaction() as connection:
            if not _is_built(connection):
                raise NothingBuilt("There is no history yet to try the rules on: run a slot, or an import, first.")
        dbt.invoke("seed", "--select", SEED.stem)
        with transaction() as connection:
            rules = _rows(
                connection,
                "select account, rule_id,"
                " concat_ws(' ', kind, value, 'from ' || from_date, 'to ' || to_date) as removes,"
                " plays, minutes, case when problem is not null then %s || problem"
                " when not is_active and is_in_force then 'off from the next slot on' when not is_active then 'off'"
                " when is_in_force then 'in force' else 'from the next slot on' end as state"
                " from reporting.rpt_exclusion_rules order by account, rule_id",
                WRONG,
            )
            nights = _rows(
                connection,
                "select account, night_date, plays, minutes, suggested_rule from reporting.rpt_autoplay_nights"
                " order by night_date desc, account limit %s",
                NIGHTS,
            )
    return _screen(rules, nights), not any(rule["state"].startswith(WRONG) for rule in rules)


def _is_built(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('reporting.rpt_exclusion_rules') is not null")
        return bool(cursor.fetchone()[0])


def _rows(connection: Any, query: str, *values: Any) -> list[dict[str, Any]]:
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(query, values or None)
        return [dict(row) for row in cursor.fetchall()]


def _screen(rules: list[dict[str, Any]], nights: list[dict[str, Any]]) -> str:
    import pandas

    lines = [f"Rules in {SEED.relative_to(dbt.PROJECT.parent)}, and what each matches", ""]
    lines.append(pandas.DataFrame(rules).to_string(index=False) if rules else "  none")
    if nights:
        lines += ["", "Nights that may have been autoplay. Nothing is removed; the line would, in the file", ""]
        lines.append(pandas.DataFrame(nights).to_string(index=False))
    return "\n".join(lines)
