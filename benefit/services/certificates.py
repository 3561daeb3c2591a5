"""判定証明の写しを置く・読む。説明はこれを読み、判定し直さない。

写しは判定のフォルダ（runs/<入力の指紋>）の certificates.parquet で、指紋は判定の記録に残る。事実は、その判定の
ために残してある入力（`replay.keep`）から引く。だから、新しい抽出データを取り込んだ後も、前の判定の説明は変わらない。
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benefit.domain.errors import Place, RefusedInput
from benefit.domain.programme import Programme
from benefit.records import certificates as layout
from benefit.rules import facts as rule_facts
from benefit.rules.outcomes import Decisions, checks_of
from benefit.services import extracts, replay, runs
from benefit.services.files import atomic_path, read_input, sha256_of
from benefit.services.home import Home
from benefit.services.standing import Inputs, decide_now, gather

#: 判定の記録（run.counts）の、写しの指紋の欄。
RECORDED = "判定証明"


@dataclass(frozen=True)
class Record:
    """一回の判定の証明の元: 全員の写しの表、事実、版と指紋。

    files: 抽出データの種類 → (ファイル名、sha256)。run_id・outcomes_sha256: 登録された判定の番号と、その
    outcomes.csv の指紋。いまの判定なら None と空。
    入力全体の指紋は持たない: 避難の申請があるだけで変わり、元の世帯の紙に痕が残る。
    """

    table: pl.LazyFrame
    facts: rule_facts.Facts
    programme: Programme
    today: date
    described: dict[str, Any]
    files: dict[str, tuple[str, str]]
    run_id: int | None = None
    outcomes_sha256: str = ""

    def rows(self, section: str, *where: pl.Expr) -> list[dict[str, Any]]:
        """その区分の行を、番号の順に。"""
        return self.table.filter(pl.col("section") == section, *where).collect().rows(named=True)


def table_of(inputs: Inputs, decisions: Decisions) -> pl.DataFrame:
    """全員の写しの表。"""
    lines = inputs.facts.residents.select("person_number", "line")
    members = decisions.persons.select("person_number", "household_number", "tax_class", "supporter_class")
    return layout.table(
        {
            layout.PERSON: members.join(lines, on="person_number", how="left"),
            layout.HOUSEHOLD: decisions.households,
            layout.CHILD: decisions.children,
            layout.TAXPAYER: decisions.taxpayers,
        },
        checks_of(inputs.programme),
    )


def store(home: Home, inputs: Inputs, decisions: Decisions, digest: str) -> tuple[Path, str]:
    """全員の写しを、判定のフォルダに置く。(場所、sha256)。登録より先に置くので、登録された判定の写しはいつもある。"""
    path = runs.folder(home, digest) / layout.FILE_NAME
    with atomic_path(path) as beside:
        table_of(inputs, decisions).write_parquet(
            beside, compression="zstd", compression_level=1, row_group_size=1 << 16
        )
        beside.chmod(0o600)
    return path, sha256_of(path.read_bytes())


def now(home: Home, programme: Programme, today: date) -> Record:
    """いまの抽出データでの判定（登録しない）。"""
    inputs = gather(home, programme, today)
    described = inputs.described
    return Record(
        table_of(inputs, decide_now(inputs)).lazy(),
        inputs.facts,
        programme,
        today,
        described,
        _files(described, inputs.answers),
    )


def read(home: Home, run: runs.Run) -> Record:
    """登録された判定の写し。判定し直さない。写しが欠けている・記録と違うときは RefusedInput。"""
    place = runs.folder(home, run.input_digest)
    data = read_input(place / layout.FILE_NAME)
    expected = run.counts.get(RECORDED, {}).get("sha256")
    if sha256_of(data) != expected:
        raise RefusedInput(
            "判定証明の写しが、判定の記録と違います",
            code="certificate-digest",
            place=Place(file=layout.FILE_NAME),
            found=sha256_of(data)[:12],
            allowed=str(expected)[:12],
        )
    kept = json.loads(read_input(place / replay.KEPT))
    paths = {kind: extracts.snapshot_path(home, kind, sha256) for kind, sha256 in kept["写し"].items()}
    paths |= {kind: place / f"{kind}.parquet" for kind in kept["表"]}
    frames = {
        kind: pl.read_parquet(paths[kind]) if kind in paths else rule_facts.empty(kind) for kind in rule_facts.SCHEMAS
    }
    programme = Programme.parse((place / replay.PROGRAMME).read_text(encoding="utf-8"), file=replay.PROGRAMME)
    return Record(
        pl.read_parquet(data).lazy(),
        rule_facts.Facts(**frames),
        programme,
        run.today,
        run.inputs,
        _files(run.inputs, extracts.answer_sources(home)),
        run.id,
        run.outcomes_sha256,
    )


def _files(described: dict[str, Any], answers: Any) -> dict[str, tuple[str, str]]:
    """種類 → (ファイル名、sha256)。回答は、その判定にあったもののうち最後の一つ。"""
    kinds = {name: kind for kind, name in extracts.NAMES.items()}
    found = {kinds[name]: (one["ファイル"], one["sha256"]) for name, one in described["抽出データ"].items()}
    used = {one["sha256"] for one in described["回答"]}
    return found | {source.kind: (source.file_name, source.sha256) for source in answers if source.sha256 in used}
