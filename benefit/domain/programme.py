"""給付事業（プログラム）: 日付・金額・方針を、出典つきのデータとして持つ。

TOML の各項目は `{ value = …, source = "…" }` の形で書き、出典のない値は読み込まない。
自治体ごとに違うものは、すべてここにあり、規則の中には定数を書かない。新しい事業は、ファイルを一つ足すだけである。
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib import resources
from pathlib import Path

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.domain.programme_parts import (
    AdjustmentTerms,
    BenefitTerms,
    ChildTerms,
    HouseholdTerms,
    LetterConditions,
    LetterTerms,
    OfficeTerms,
    RouteTerms,
    ScheduleTerms,
    ShortfallTerms,
    TransferTerms,
    Who,
)

_SUFFIX = ".toml"


@dataclass(frozen=True)
class Programme:
    """一つの給付事業。

    household・child・adjustment・shortfall は、その給付がない事業では None。
    `sources` は項目名（`adjustment.income_cap_yen` など）から出典への対応、`digest` は内容の SHA-256（版の証拠）。
    """

    id: str
    name: str
    levy_year: int
    base_date: date
    levy_date: date
    entered_from: date
    under_16_born_from: date
    benefits: Mapping[str, BenefitTerms]
    household: HouseholdTerms | None
    child: ChildTerms | None
    adjustment: AdjustmentTerms | None
    shortfall: ShortfallTerms | None
    route: RouteTerms
    schedule: ScheduleTerms
    letters: LetterTerms
    conditions: Mapping[str, LetterConditions]
    transfer: TransferTerms
    office: OfficeTerms
    sources: Mapping[str, str] = field(default_factory=dict, compare=False, hash=False)
    digest: str = ""
    #: 読んだ文面。判定の再現のために残す。
    text: str = field(default="", compare=False, repr=False)

    def benefit_for(self, who: Who) -> BenefitTerms | None:
        """この相手への給付。この事業になければ None。"""
        return next((benefit for benefit in self.benefits.values() if benefit.who == who), None)

    @cached_property
    def slot_kinds(self) -> dict[str, str]:
        """給付種別から slot の種類へ。"""
        return {benefit.id: benefit.slot_kind for benefit in self.benefits.values()}

    @cached_property
    def benefit_names(self) -> dict[str, str]:
        """給付種別から、職員と住民に見せる名へ（対象でない世帯の行も含む）。"""
        names = {benefit.id: benefit.name for benefit in self.benefits.values()}
        if self.household is not None:
            names[self.household.ineligible_id] = "世帯給付（対象外・未確定）"
        return names

    def slot(self, benefit: str, subject_number: int) -> str:
        """一回だけ払うものの名前。受給者の番号は入らない（死亡後の新しい世帯主も同じ slot になる）。"""
        return f"{self.id}/{self.slot_kinds[benefit]}/{subject_number:010d}"

    @cached_property
    def extracts(self) -> tuple[str, ...]:
        """この事業の判定に、なければ害がある抽出データ（姶良市は昨年度の除外を、徳島市は支援措置を見なかった）。"""
        kinds = ["residents"]
        if self.household is not None or self.adjustment is not None:
            kinds.append("taxes")
        if self.household is not None and self.household.prior == "EXCLUDE_TARGETS":
            kinds.append("prior")
        if self.shortfall is not None:
            kinds.append("shortfall")
        return (*kinds, "accounts", "protected")

    @staticmethod
    def parse(text: str, *, file: str, changes: Mapping[str, str] | None = None) -> Programme:
        """TOML の文面から。`changes` は試算で変える値（項目名 → 書いた文字）。断りは programme_file を見よ。"""
        from benefit.domain.programme_file import read

        return read(text, file=file, changes=changes or {})

    @staticmethod
    def load(programme_id: str, *, folder: Path | None = None, changes: Mapping[str, str] | None = None) -> Programme:
        """事業を読む。`folder`（区の作業場所の programmes/）にあればそれを、なければ同梱のものを。

        知らない名前は WrongUse、読めない・合わないものは RefusedInput。
        """
        known = Programme.known(folder)
        if programme_id not in known:
            # 画面から来た字は、ファイルの道にも断りの文にも入れない（欄を違えた氏名かもしれない）。
            raise WrongUse("その名の給付事業はありません", allowed="、".join(known))
        own = folder / f"{programme_id}{_SUFFIX}" if folder else None
        if own is not None and own.is_file():
            try:
                text = own.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                raise RefusedInput(f"{own.name}: UTF-8 の文字として読めません", code="programme-encoding") from None
        else:
            shipped = resources.files("benefit") / "programmes" / f"{programme_id}{_SUFFIX}"
            text = shipped.read_text(encoding="utf-8")
        programme = Programme.parse(text, file=f"{programme_id}{_SUFFIX}", changes=changes)
        if programme.id != programme_id:
            raise RefusedInput(
                f"{programme_id}{_SUFFIX}: id がファイル名と違います", found=programme.id, allowed=programme_id
            )
        if folder is not None:
            programme.refuse_shared(folder)
        return programme

    @staticmethod
    def known(folder: Path | None = None) -> list[str]:
        """使える事業の名前。"""
        shipped = resources.files("benefit") / "programmes"
        names = {file.name for file in shipped.iterdir()}
        if folder is not None and folder.is_dir():
            names |= {file.name for file in folder.iterdir()}
        return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))

    def refuse_shared(self, folder: Path) -> None:
        """ほかの事業と同じ給付種別を断る。委託先は給付種別で事業を見分けるので、重なると件が混ざる。"""
        for name in Programme.known(folder):
            if name == self.id:
                continue
            own = folder / f"{name}{_SUFFIX}"
            other = None
            # 書きかけの隣のファイルは、この事業を止めない。それを使うときに断る。
            with suppress(RefusedInput, UnicodeDecodeError):
                if own.is_file():
                    other = Programme.parse(own.read_text(encoding="utf-8"), file=own.name)
                else:
                    other = Programme.load(name)
            shared = sorted(self.benefits.keys() & other.benefits.keys()) if other else []
            if shared:
                raise RefusedInput(
                    f"{self.id}{_SUFFIX}: 給付種別「{'、'.join(shared)}」は、事業 {name} も使っています。"
                    "別の名にしてください",
                    code="programme-shared",
                )
