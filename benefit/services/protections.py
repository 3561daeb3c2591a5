"""区が直接扱う人: 一度でも名簿に載った人は、二人が解除するまで、外へ出さない。

名簿のファイルは、期限の切れた支援措置や取り違えで、人が消えることがある。消えたことは、安全になったことではない
（benefit-rules F.3 exit: 決して自動では解除しない）。判定の結果（経路）は契約どおり今の名簿で決まり、外への関門だけが、
ここで閉じている。
"""

from __future__ import annotations

import polars as pl
from sqlalchemy import select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import WrongUse
from benefit.services import extracts, two_people
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading


def ever_protected(home: Home) -> pl.DataFrame:
    """一度でも名簿に載り、解除されていない人: person_number（重複なし）。解除の後にまた載れば、また扱う。"""
    table, release, approval = ward.snapshot, ward.protection_release, ward.protection_release_approval
    with reading(home.ward) as connection:
        files = connection.execute(
            select(table.c.file_name, table.c.sha256, table.c.imported_at)
            .where(table.c.kind == "protected")
            .order_by(table.c.id)
        ).all()
        released = connection.execute(
            select(release.c.person_number, approval.c.approved_at).join(
                approval, approval.c.release_id == release.c.id
            )
        ).all()
    marked = [
        extracts.load(home, extracts.Source("protected", file.file_name, file.sha256)).select(
            "person_number", at=pl.lit(place)
        )
        for place, file in enumerate(files)
    ]
    if not marked:
        return pl.DataFrame(schema={"person_number": pl.Int64})
    # 名簿の順番で数える。解除の時までに届いた名簿の印は消え、その後の名簿の印は生きる。
    last = pl.concat(marked).group_by("person_number").agg(pl.col("at").max())
    gone = {row.person_number: sum(file.imported_at <= row.approved_at for file in files) - 1 for row in released}
    freed = pl.DataFrame(list(gone.items()), schema={"person_number": pl.Int64, "freed_at": pl.Int64}, orient="row")
    kept = last.join(freed, on="person_number", how="left").filter(
        pl.col("freed_at").is_null() | (pl.col("at") > pl.col("freed_at"))
    )
    return kept.select("person_number").sort("person_number")


def vanished(home: Home, current: pl.DataFrame) -> pl.DataFrame:
    """名簿から消えたが、解除されていない人: person_number。"""
    return ever_protected(home).join(current.select("person_number"), on="person_number", how="anti")


def ask_release(home: Home, person_number: int, *, reason: str, actor: Actor, clock: Clock) -> int:
    """解除を申し出る。番号を返す。別の人が承認するまで、何も変わらない。"""
    reason = two_people.need_reason(reason)
    if ever_protected(home).filter(pl.col("person_number") == person_number).is_empty():
        raise WrongUse("この人は、区が直接扱う人ではありません", found=f"{person_number:010d}")
    with home.ward.begin() as connection:
        return two_people.ask(
            connection,
            ward.protection_release,
            {"person_number": person_number},
            action="protection.ask_release",
            subject=f"{person_number:010d}",
            reason=reason,
            actor=actor,
            clock=clock,
        )


def approve_release(home: Home, number: int, *, actor: Actor, clock: Clock) -> int:
    """解除を承認する。解除した人の番号を返す。申し出た人は、承認できない。"""
    release, approval = ward.protection_release, ward.protection_release_approval
    with home.ward.begin() as connection:
        in_turn(connection, "protections")
        asked = two_people.approve(connection, release, approval, number, what="解除", actor=actor, clock=clock)
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="protection.release",
            subject=f"{asked['person_number']:010d}",
            reason=asked["reason"],
        )
    return int(asked["person_number"])
