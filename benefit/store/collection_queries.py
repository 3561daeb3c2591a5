"""消込のための問い合わせ: 届いた入金、触れる債権と入金、いまの調定の額、仕訳済みの姿。どれも表どうしの結合である。

`taking`（取り込むファイルの行）、`touched_receivable`、`touched_event` は、その接続だけの表である。
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from sqlalchemy import Connection, text

from benefit.store.frames import fetch
from benefit.store.temporary import with_temporary

#: 人の判断（消込・充当）でつながる債権を加える。片方だけでは、割り当てを導けない。加わらなくなるまで繰り返す。
_CLOSE = """
    INSERT INTO touched_receivable (receivable_id)
    SELECT DISTINCT x.other FROM (
        SELECT m.receivable_id AS one, k.receivable_id AS other FROM collection_move m
        JOIN collection_move_approval a ON a.release_id = m.id
        JOIN collection_event e ON e.event = m.event JOIN receivable_key k ON k.pay_key = e.pay_key
        WHERE m.receivable_id IS NOT NULL
        UNION
        SELECT k.receivable_id, m.receivable_id FROM collection_move m
        JOIN collection_move_approval a ON a.release_id = m.id
        JOIN collection_event e ON e.event = m.event JOIN receivable_key k ON k.pay_key = e.pay_key
        WHERE m.receivable_id IS NOT NULL
        UNION
        SELECT m.receivable_id, n.receivable_id FROM collection_move m
        JOIN collection_move_approval a ON a.release_id = m.id
        JOIN collection_move n ON n.event = m.event
        JOIN collection_move_approval b ON b.release_id = n.id
        WHERE m.receivable_id IS NOT NULL AND n.receivable_id IS NOT NULL
    ) x JOIN touched_receivable t ON t.receivable_id = x.one
    WHERE x.other NOT IN (SELECT receivable_id FROM touched_receivable)
"""
#: 仕訳の一行（collection_allocation の割り当てと同じ列）。
_ALLOCATION = {
    "event": pl.String,
    "asset": pl.String,
    "received_as": pl.String,
    "receivable_id": pl.Int64,
    "amount_yen": pl.Int64,
}
#: 入金 → 債権。人が結んだものが先、なければ鍵。
_OWNED = """
    SELECT e.event, e.amount_yen, CAST(e.paid_on AS VARCHAR(10)) AS paid_on, e.paid_time,
         COALESCE(m.receivable_id, k.receivable_id) AS receivable_id
    FROM collection_event e
    LEFT JOIN receivable_key k ON k.pay_key = e.pay_key
    LEFT JOIN (
        SELECT m.event, MAX(m.receivable_id) AS receivable_id FROM collection_move m
        JOIN collection_move_approval a ON a.release_id = m.id WHERE m.kind = '消込' GROUP BY m.event
    ) m ON m.event = e.event
"""
_RECEIVABLES_OF_FILE = (
    "CREATE TEMPORARY TABLE touched_receivable AS SELECT DISTINCT o.receivable_id FROM ("  # noqa: S608
    + _OWNED
    + ") o JOIN (SELECT DISTINCT event FROM taking) t ON t.event = o.event WHERE o.receivable_id IS NOT NULL"
)
_OF_RECEIVABLES = """
    CREATE TEMPORARY TABLE touched_event AS
    SELECT e.event FROM collection_event e
    JOIN receivable_key k ON k.pay_key = e.pay_key
    JOIN touched_receivable r ON r.receivable_id = k.receivable_id
    UNION
    SELECT m.event FROM collection_move m JOIN collection_move_approval a ON a.release_id = m.id
    JOIN touched_receivable r ON r.receivable_id = m.receivable_id
"""
_OF_FILE = _OF_RECEIVABLES + " UNION SELECT event FROM taking"  # noqa: S608
_TOUCHED_OWNED = "SELECT o.* FROM (" + _OWNED + ") o JOIN touched_event t ON t.event = o.event"  # noqa: S608


def counted(connection: Connection) -> pl.DataFrame:
    """届いた (event, kind) のうち、まだ数えていないもの: fresh。"""
    return fetch(
        connection,
        """
        SELECT t.event, t.kind, n.event IS NULL AS fresh
        FROM (SELECT DISTINCT event, kind FROM taking) t
        LEFT JOIN (SELECT event, kind FROM collection_notice WHERE outcome IN ('消込', '保留')) n
          ON n.event = t.event AND n.kind = t.kind
        """,
        {"event": pl.String, "kind": pl.String, "fresh": pl.Boolean},
    )


def add_events(connection: Connection) -> None:
    """まだない入金を足す。"""
    connection.execute(
        text(
            """
            INSERT INTO collection_event (event, channel, pay_key, paid_on, paid_time, place, amount_yen)
            SELECT t.event, MIN(t.channel), MIN(t.pay_key), MIN(t.paid_on), MIN(t.paid_time), MIN(t.place),
                   MIN(t.amount_yen)
            FROM taking t LEFT JOIN collection_event e ON e.event = t.event
            WHERE e.event IS NULL GROUP BY t.event
            """
        )
    )


#: 入金 → 債権。人が結んだものが先、なければ鍵。
_OWNED = """
    SELECT e.event, e.amount_yen, CAST(e.paid_on AS VARCHAR(10)) AS paid_on, e.paid_time,
         COALESCE(m.receivable_id, k.receivable_id) AS receivable_id
    FROM collection_event e
    LEFT JOIN receivable_key k ON k.pay_key = e.pay_key
    LEFT JOIN (
        SELECT m.event, MAX(m.receivable_id) AS receivable_id FROM collection_move m
        JOIN collection_move_approval a ON a.release_id = m.id WHERE m.kind = '消込' GROUP BY m.event
    ) m ON m.event = e.event
"""


def touched_by_file(connection: Connection) -> pl.DataFrame:
    """このファイルの入金の債権に触れる、全部の入金。"""
    connection.execute(text("DROP TABLE IF EXISTS touched_receivable"))
    connection.execute(text(_RECEIVABLES_OF_FILE))
    connection.execute(text("CREATE INDEX touched_receivable_id ON touched_receivable (receivable_id)"))
    return _touched(connection, _OF_FILE)


def touched_by_receivables(connection: Connection, receivables: Sequence[int]) -> pl.DataFrame:
    """これらの債権の、全部の入金。"""
    frame = pl.DataFrame({"receivable_id": sorted(set(receivables))}, schema={"receivable_id": pl.Int64})
    with_temporary(connection, "touched_receivable", frame)
    return _touched(connection, _OF_RECEIVABLES)


def _touched(connection: Connection, statement: str) -> pl.DataFrame:
    """導き直す入金。"""
    while connection.execute(text(_CLOSE)).rowcount:
        pass
    connection.execute(text("DROP TABLE IF EXISTS touched_event"))
    connection.execute(text(statement))
    connection.execute(text("CREATE INDEX touched_event_event ON touched_event (event)"))
    schema = {
        "event": pl.String,
        "amount_yen": pl.Int64,
        "paid_on": pl.String,
        "paid_time": pl.String,
        "receivable_id": pl.Int64,
    }
    return fetch(connection, _TOUCHED_OWNED, schema)


def arrived(connection: Connection) -> pl.DataFrame:
    """導き直す入金の、もう数えた種類: event、kind。"""
    return fetch(
        connection,
        """
        SELECT DISTINCT n.event, n.kind FROM collection_notice n JOIN touched_event t ON t.event = n.event
        WHERE n.outcome IN ('消込', '保留')
        """,
        {"event": pl.String, "kind": pl.String},
    )


def approved_moves(connection: Connection) -> pl.DataFrame:
    """導き直す入金の、承認された還付と充当。"""
    return fetch(
        connection,
        """
        SELECT m.event, m.kind, m.receivable_id, m.amount_yen, CAST(a.approved_at AS VARCHAR(30)) FROM collection_move m
        JOIN collection_move_approval a ON a.release_id = m.id
        JOIN touched_event t ON t.event = m.event WHERE m.kind IN ('還付', '充当')
        """,
        {
            "event": pl.String,
            "kind": pl.String,
            "receivable_id": pl.Int64,
            "amount_yen": pl.Int64,
            "approved_at": pl.String,
        },
    )


def debts(connection: Connection, payments: pl.DataFrame) -> pl.DataFrame:
    """いまの調定の額（変更の最後の一つ）。"""
    owners = payments.select("receivable_id").drop_nulls().unique()
    with_temporary(connection, "owner", owners)
    return fetch(
        connection,
        """
        SELECT r.id, COALESCE(c.principal_yen, r.principal_yen), COALESCE(c.late_charge_yen, r.late_charge_yen)
        FROM owner o JOIN receivable r ON r.id = o.receivable_id
        LEFT JOIN receivable_change c ON c.receivable_id = r.id
          AND c.turn = (SELECT MAX(turn) FROM receivable_change l WHERE l.receivable_id = r.id)
        """,
        {"receivable_id": pl.Int64, "principal_yen": pl.Int64, "late_charge_yen": pl.Int64},
    )


def posted(connection: Connection) -> pl.DataFrame:
    """導き直す入金の、いままでの仕訳の差し引き（0 の組は出ない）。"""
    net = fetch(
        connection,
        """
        SELECT p.event, p.asset, p.received_as, p.receivable_id, CAST(SUM(p.amount_yen) AS BIGINT) FROM (
            SELECT event, debit AS asset, credit AS received_as, receivable_id, amount_yen FROM collection_posting
            WHERE debit IN ('預金', '決済待ち', '充当金')
            UNION ALL
            SELECT event, credit, debit, receivable_id, -amount_yen FROM collection_posting
            WHERE credit IN ('預金', '決済待ち', '充当金')
        ) p JOIN touched_event t ON t.event = p.event
        GROUP BY p.event, p.asset, p.received_as, p.receivable_id
        """,
        _ALLOCATION,
    )
    return net.filter(pl.col("amount_yen") != 0)
