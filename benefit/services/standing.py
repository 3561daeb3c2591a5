"""いまの判定: 最新の写しと回答から、全員を判定し直す。

対象者の作成（build）、説明（explain）、手紙・受渡・支給判定の関門（gate）は、どれもここを通る。
だから「説明」は判定そのものであり、関門は古い判定で人を通さない。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from benefit import __version__
from benefit.domain.claim import Claim
from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.rules import claims as rule_claims
from benefit.rules import facts as rule_facts
from benefit.rules.income_tax import ENGINE
from benefit.rules.outcomes import Decisions, decide
from benefit.services import claims_stored, extracts, inquiry_answers, protections
from benefit.services.home import Home

#: なくてもよい抽出データ。
OPTIONAL = ("addresses", "braille")


@dataclass(frozen=True)
class Inputs:
    """判定に使ったもの全部と、その指紋。"""

    facts: rule_facts.Facts
    sources: dict[str, extracts.Source]
    answers: tuple[extracts.Source, ...]
    programme: Programme
    today: date
    #: 写しから読んだままの表。`facts` の表がこれと同じ物なら、写しから作り直せる。
    loaded: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    #: 受理した申請。決めた順。
    claims: tuple[Claim, ...] = ()
    #: 一度でも名簿に載り、解除されていない人（`benefit.services.protections`）。
    ever_protected: pl.DataFrame | None = None

    @property
    def marked(self) -> pl.DataFrame:
        """外へ出してはならない人: person_number。いまの名簿の人と、名簿から消えたが解除されていない人。"""
        now = self.facts.protected.select("person_number")
        return now.unique() if self.ever_protected is None else pl.concat([now, self.ever_protected]).unique()

    @property
    def derived(self) -> dict[str, pl.DataFrame]:
        """写しそのままではない表（回答の選び方や申請で決まったもの）。判定の再現のために、判定ごとに残す。"""
        every = {name: getattr(self.facts, name) for name in rule_facts.SCHEMAS}
        return {name: frame for name, frame in every.items() if frame is not self.loaded.get(name)}

    @property
    def described(self) -> dict[str, object]:
        """記録に残す形。これが同じなら、結果は一字も違わない。"""
        described: dict[str, object] = {
            "事業": self.programme.id,
            "事業の指紋": self.programme.digest,
            "基準の日": self.today.isoformat(),
            "版": {"benefit": __version__, "所得税": ENGINE, "polars": pl.__version__},
            "抽出データ": {
                extracts.NAMES[kind]: {"ファイル": source.file_name, "sha256": source.sha256}
                for kind, source in sorted(self.sources.items())
            },
            "回答": [{"ファイル": source.file_name, "sha256": source.sha256} for source in self.answers],
        }
        if self.claims:
            described["申請"] = [claims_stored.described(claim) for claim in self.claims]
        return described

    @property
    def digest(self) -> str:
        """入力全体の指紋。"""
        content = json.dumps(self.described, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def gather(home: Home, programme: Programme, today: date, *, claims: Sequence[Claim] | None = None) -> Inputs:
    """最新の写しと、届いた回答と、受理した申請を集める。要るものが足りなければ RefusedByRule。

    `claims` は、受理したらどうなるかを決める前に見るときだけ渡す。
    """
    sources = extracts.current_sources(home, programme.levy_year)
    missing = [f"{extracts.NAMES[kind]}（{kind}）" for kind in programme.extracts if kind not in sources]
    if missing:
        raise RefusedByRule(f"まだ取り込まれていない抽出データがあります: {'、'.join(missing)}", code="missing-extract")
    # この事業が見ない種類（別の年度の事業のもの）は、判定にも指紋にも入れない。
    sources = {kind: source for kind, source in sources.items() if kind in (*programme.extracts, *OPTIONAL)}
    frames = {
        kind: extracts.load(home, sources[kind]) if kind in sources else rule_facts.empty(kind)
        for kind in extracts.KINDS
    }
    loaded = dict(frames)
    answers = extracts.answer_sources(home)
    # 何通もある回答から、どれを使うか: benefit.services.inquiry_answers
    frames |= inquiry_answers.in_use(home, programme, answers)
    facts = rule_facts.Facts(**frames)
    taken = claims_stored.accepted(home, programme) if claims is None else tuple(claims)
    if taken:
        facts = rule_claims.apply(facts, taken, today)
    return Inputs(facts, sources, tuple(answers), programme, today, loaded, taken, protections.ever_protected(home))


def decide_now(inputs: Inputs) -> Decisions:
    """集めたもので判定する。申請が足した行は `claimed` に入る。"""
    decisions = decide(inputs.facts, inputs.programme, inputs.today)
    if not inputs.claims:
        return decisions
    return rule_claims.added(inputs.facts, inputs.programme, decisions, inputs.claims, inputs.today)
