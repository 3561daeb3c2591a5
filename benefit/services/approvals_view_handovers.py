"""受渡の承認: いま渡すものと、前に渡したものの違い（足す・引き上げる・変わる）を見て、別の人が承認してから渡す。

申し出に残るのは、渡すファイルのバイト列の指紋である。申し出の後に一人でも変われば指紋が変わり、承認も受渡もできない。
渡すのは desk_export であり、名簿の見直し（区直轄の人を出さない）は、渡す時にもう一度かかる。
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.case import STATE_WORDS
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.entitlement import ACCOUNT_FLAG_NAMES
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.programme import Programme
from benefit.records import payees
from benefit.services import desk_export, handback_given, two_people
from benefit.services.approvals_view import Sheet, Table
from benefit.services.approvals_view_odd import strangest
from benefit.services.files import sha256_of
from benefit.services.gate import stand
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading
from benefit.store.frames import fetch

_MOST = 10
_FEATURES = {"change": "違い", "moved": "状態の動き", "benefit_amount": "給付と額", "account_flag": "使う口座"}
#: 引き上げるものの、給付と額を言うため。
_RIGHT = {"case_number": pl.String, "benefit": pl.String, "amount_yen": pl.Int64}
#: 渡すことを並べる列（desk_export と同じ名）。
TURN = "payees_out"


def _now(connection: Connection, home: Home, programme: Programme, on: date) -> tuple[pl.DataFrame, str]:
    """いま渡す行と、そのバイト列の指紋。"""
    rows = desk_export.payee_rows(connection, stand(home, programme, on))
    return rows, sha256_of(payees.render(rows))


def prepare(home: Home, programme: Programme, *, reason: str, actor: Actor, clock: Clock) -> int:
    """渡すことを申し出る。番号を返す。前に渡したものと同じなら断る。"""
    reason, on = two_people.need_reason(reason), tokyo_date(clock())
    with home.ward.begin() as connection:
        in_turn(connection, TURN)
        rows, fingerprint = _now(connection, home, programme, on)
        if _last(connection) == fingerprint:
            raise RefusedByRule("前に渡したものと、何も変わっていません", code="same-handover")
        return two_people.ask(
            connection,
            ward.handover_request,
            {
                "programme": programme.id,
                "given_on": on,
                "sha256": fingerprint,
                "row_count": rows.height,
                "total_yen": int(rows["planned_amount_yen"].sum()),
            },
            action="handover.ask",
            reason=reason,
            detail={"rows": rows.height, "sha256": fingerprint},
            actor=actor,
            clock=clock,
        )


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> None:
    """申し出の中身のままなら、承認する。"""
    with home.ward.begin() as connection:
        in_turn(connection, TURN)
        asked = two_people.approve(
            connection,
            ward.handover_request,
            ward.handover_request_approval,
            number,
            what="受渡",
            actor=actor,
            clock=clock,
        )
        _refuse_changed(connection, home, asked)
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="handover.approve",
            subject=f"{number}",
            reason=asked["reason"],
            detail={"sha256": asked["sha256"], "rows": asked["row_count"]},
        )


def hand_over(home: Home, number: int, *, actor: Actor, clock: Clock) -> desk_export.Exported:
    """承認されたものを、出し箱の payees-番号 に書いて渡す。承認の後に中身が変わっていたら断る。"""
    with reading(home.ward) as connection:
        asked = _row(connection, number)
        if asked["approved_by"] is None:
            raise RefusedByRule("まだ承認されていません", code="two-people")
        _refuse_changed(connection, home, asked)
    programme = home.programme(asked["programme"])
    done = desk_export.export(
        home, programme, out=home.outbox / f"payees-{number:04d}", today=asked["given_on"], clock=clock
    )
    if done.sha256 != asked["sha256"]:
        raise RefusedByRule("承認したものと違うものができました。渡さないで、申し出直してください", code="changed")
    return done


def _refuse_changed(connection: Connection, home: Home, asked: dict[str, Any]) -> None:
    _rows, fingerprint = _now(connection, home, home.programme(asked["programme"]), asked["given_on"])
    if fingerprint != asked["sha256"]:
        raise RefusedByRule("申し出の後に、渡す中身が変わりました。申し出直してください", code="changed")


def _row(connection: Connection, number: int) -> dict[str, Any]:
    table, approval = ward.handover_request, ward.handover_request_approval
    row = (
        connection.execute(
            select(table, approval.c.approved_by, approval.c.approved_at)
            .outerjoin(approval, approval.c.release_id == table.c.id)
            .where(table.c.id == number)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise WrongUse(f"受渡の申し出 {number} はありません", code="no-request")
    return dict(row)


def _last(connection: Connection) -> str | None:
    table = ward.handover
    query = select(table.c.sha256).where(table.c.crossing == "payees_out").order_by(table.c.sequence.desc()).limit(1)
    return connection.execute(query).scalar()


def requests(connection: Connection) -> list[dict[str, Any]]:
    """申し出の一覧、新しい順。`handed` は渡した連番（まだなら None）。"""
    table, approval, handover = ward.handover_request, ward.handover_request_approval, ward.handover
    sequence = (
        select(func.max(handover.c.sequence))
        .where(handover.c.crossing == "payees_out", handover.c.sha256 == table.c.sha256)
        .scalar_subquery()
    )
    query = (
        select(table, approval.c.approved_by, sequence.label("handed"))
        .outerjoin(approval, approval.c.release_id == table.c.id)
        .order_by(table.c.id.desc())
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def sheet(home: Home, number: int) -> Sheet:
    """受渡の申し出 `number` の一枚。"""
    with reading(home.ward) as connection:
        asked = _row(connection, number)
        programme = home.programme(asked["programme"])
        rows, fingerprint = _now(connection, home, programme, asked["given_on"])
        before = handback_given.given(connection, programme.id).filter("given")
        rights = fetch(
            connection,
            select(*(ward.entitlement.c[name] for name in _RIGHT)).where(ward.entitlement.c.programme == programme.id),
            _RIGHT,
        )
        handed = next((one["handed"] for one in requests(connection) if one["id"] == number), None)
    moved = _differing(before.join(rights, on="case_number", how="left"), rows, home.benefit_names)
    closed = ""
    if handed is not None and asked["approved_by"]:
        closed = f"渡しました（連番 {handed}）"
    elif fingerprint != asked["sha256"]:
        closed = "申し出の後に、渡す中身が変わりました。申し出直してください"
    elif asked["approved_by"]:
        closed = f"{asked['approved_by']} が承認しました。渡すのを待っています"
    counted = {name: moved.filter(pl.col("change") == name).height for name in ("足す", "引き上げる", "変わる")}
    warnings = []
    if before.height and counted["引き上げる"] * 10 > before.height:
        warnings.append(f"前に渡した {before.height:,} 件の一割を超える {counted['引き上げる']:,} 件を引き上げます")
    return Sheet(
        kind="handover",
        number=number,
        what=f"{programme.name} の支給対象者の受渡（{asked['given_on']}）",
        asked_by=asked["asked_by"],
        asked_at=asked["asked_at"],
        reason=asked["reason"],
        count=asked["row_count"],
        total_yen=asked["total_yen"],
        facts=(
            ("渡す件数", f"{rows.height:,}件（前は {before.height:,}件）"),
            ("支給予定額の合計", f"{int(rows['planned_amount_yen'].sum()):,}円"),
            *((f"{name}件", f"{count:,}件") for name, count in counted.items()),
            ("ファイルの指紋", fingerprint),
        ),
        tables=[
            Table("違い方ごと", _by_kind(moved)),
            Table("足すものの、額の大きい十件", _shown(_largest(moved))),
            _odd(moved),
            Table(
                "引き上げるもの（初めの十件）",
                _shown(moved.filter(pl.col("change") == "引き上げる").head(_MOST)),
                "委託先には番号だけを知らせ、訳は言いません",
            ),
        ],
        effect="この中身を委託先へ渡せるようになります。引き上げる件は、委託先の台帳から消えます",
        until="渡すまで。渡した後は、次の受渡で直します",
        digest=fingerprint,
        warnings=warnings,
        approvers=(asked["approved_by"],) if asked["approved_by"] else (),
        closed=closed,
        programme=programme.id,
        released=handed is not None,
    )


def _differing(before: pl.DataFrame, rows: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    """違う件だけ: case_number、change、前と今の状態・枝番、給付、額、口座の印。"""
    now = rows.select(
        "case_number",
        pl.col("branch").cast(pl.Int64),
        "state",
        "benefit",
        pl.col("planned_amount_yen").cast(pl.Int64).alias("amount_yen"),
        "account_flag",
    )
    joined = now.join(before.drop("given"), on="case_number", how="full", coalesce=True, suffix="_before")
    change = (
        pl.when(pl.col("state_before").is_null())
        .then(pl.lit("足す"))
        .when(pl.col("state").is_null())
        .then(pl.lit("引き上げる"))
        .when((pl.col("state") != pl.col("state_before")) | (pl.col("branch") != pl.col("branch_before")))
        .then(pl.lit("変わる"))
    )
    words = {state: word.name for state, word in STATE_WORDS.items()}

    def named(name: str) -> pl.Expr:
        return pl.col(name).replace(words).fill_null("なし")

    return (
        joined.with_columns(change=change)
        .filter(pl.col("change").is_not_null())
        .with_columns(
            benefit=pl.coalesce("benefit", "benefit_before"), amount_yen=pl.coalesce("amount_yen", "amount_yen_before")
        )
        .with_columns(
            benefit=pl.col("benefit").replace_strict(names, default=pl.col("benefit")).fill_null("－"),
            moved=pl.concat_str(named("state_before"), pl.lit(" → "), named("state")),
        )
        .with_columns(benefit_amount=pl.format("{} {}円", "benefit", pl.col("amount_yen").fill_null(0)))
        .sort("case_number")
    )


def _largest(moved: pl.DataFrame) -> pl.DataFrame:
    added = moved.filter(pl.col("change") == "足す")
    return added.sort("amount_yen", "case_number", descending=[True, False]).head(_MOST)


def _odd(moved: pl.DataFrame) -> Table:
    told = moved.with_columns(pl.col("account_flag").replace(ACCOUNT_FLAG_NAMES))
    odd = strangest(told, _FEATURES, key="case_number")
    return Table("変わった十件", _shown(odd).with_columns(odd["odd"].alias("めずらしい所")))


def _by_kind(moved: pl.DataFrame) -> pl.DataFrame:
    return (
        moved.group_by("change", "benefit", "moved")
        .agg(rows=pl.len().cast(pl.Int64), yen=pl.col("amount_yen").sum())
        .sort("change", "benefit", "moved")
        .select(違い="change", 給付="benefit", 状態の動き="moved", 件数="rows", **{"額（円）": pl.col("yen")})
    )


def _shown(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        給付管理番号="case_number",
        違い="change",
        給付="benefit",
        状態の動き="moved",
        **{"額（円）": pl.col("amount_yen")},
    )
