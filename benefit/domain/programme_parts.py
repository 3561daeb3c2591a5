"""給付事業の部分: 給付の一つ一つ、世帯・児童・調整・不足額の規則の値、届け方、日程、手紙、振込、差出人。

TOML の表一つが、ここの型一つである。選べる方針（K1〜K14、benefit-rules K）は `Literal` で、書ける言葉が決まっている。
金額は円、日付は当日を含む。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

#: 誰に払う給付か。slot（一回だけ払うもの）の種類は、これで決まる。
Who = Literal["untaxed_household", "per_capita_household", "child", "taxpayer", "shortfall", "shortfall_fixed"]
SLOT_KIND_OF_WHO = {
    "untaxed_household": "HH100K",
    "per_capita_household": "HH100K",
    "child": "CHILD",
    "taxpayer": "ADJ",
    "shortfall": "SHORT",
    "shortfall_fixed": "SHORT",
}


@dataclass(frozen=True)
class BenefitTerms:
    """一つの給付。

    id: 給付種別（ファイルと台帳に載る）。who: 誰に払うか。name: 手紙と画面の名。
    amount_yen: 一回の額（円）。計算で決まる給付（調整、不足額 I）では None。
    """

    id: str
    who: Who
    name: str
    amount_yen: int | None = None

    @property
    def slot_kind(self) -> str:
        """一回だけ払うものの種類。"""
        return SLOT_KIND_OF_WHO[self.who]


@dataclass(frozen=True)
class HouseholdTerms:
    """世帯の給付の方針。

    ineligible_id: 対象でない世帯の行に載る給付種別。
    prior: 昨年度の対象世帯を外すか（A.3）。prior_split: そこから分かれた人がいる世帯（P5、K1）。
    prior_remaining: 昨年度の世帯主が出た後に残った世帯（K1 後段）。entrants: 国外からの転入者（K2）。
    undeclared: 未申告の人がいる世帯（K13）。supporter: 扶養している人のどの課税を見るか（A.4）。
    """

    ineligible_id: str
    prior: Literal["EXCLUDE_TARGETS", "IGNORE"]
    prior_split: Literal["HOLD", "EXCLUDE", "ALLOW"]
    prior_remaining: Literal["EXCLUDE"]
    entrants: Literal["EXCLUDE_IF_HEAD_OR_ALL", "EXCLUDE_IF_ANY", "IGNORE"]
    undeclared: Literal["HOLD", "EXCLUDE"]
    supporter: Literal["PER_CAPITA_LEVY", "INCOME_LEVY"]


@dataclass(frozen=True)
class ChildTerms:
    """こども加算。born_from: この日以後に生まれた子。newborn_until: 申請で加わる新生児の、最後の誕生日（K10）。"""

    born_from: date
    newborn_until: date


@dataclass(frozen=True)
class AdjustmentTerms:
    """調整給付。

    rounding_yen: 切り上げの単位。income_tax_unit_yen・resident_tax_unit_yen: 一人あたりの定額減税。
    income_cap_yen: 合計所得金額の上限（以下）。zero_levy: 所得割 0・所得税ありの人の住民税分（K3）。
    non_levied: 均等割も所得割もなく所得税がある人（K4）。income_tax_source: 所得税の根拠の順（K12）。
    estimate_alarm_yen: 国の算定ツールの答えと EST-1 が、これより違えば職員に言う。
    with_household_benefit: 世帯の給付と両方受けてよいか。
    quick_table: 所得税の速算表 [下限, 率（%）, 控除額]、下限の高い順。
    """

    rounding_yen: int
    income_tax_unit_yen: int
    resident_tax_unit_yen: int
    income_cap_yen: int
    zero_levy: Literal["FULL", "NONE"]
    non_levied: Literal["INCLUDE", "EXCLUDE"]
    income_tax_source: Literal["TOOL_FIRST"]
    estimate_alarm_yen: int
    with_household_benefit: Literal["ALLOWED"]
    quick_table: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class ShortfallTerms:
    """不足額給付（benefit-rules B.7）。

    rounding_yen・income_tax_unit_yen・resident_tax_unit_yen・income_cap_yen は調整給付と同じ意味。
    dependant_income_yen: 合計所得がこれを超える人は、扶養に入れない（II）。
    abroad_amount_yen: 賦課期日に国外にいた人の、II の額。
    """

    rounding_yen: int
    income_tax_unit_yen: int
    resident_tax_unit_yen: int
    income_cap_yen: int
    dependant_income_yen: int
    abroad_amount_yen: int


@dataclass(frozen=True)
class RouteTerms:
    """届け方。

    account_precedence: 口座の優先順（K8）。adjustment_account: 調整給付をお知らせだけで払える口座（K9）。
    evacuee_origin: DV 避難者の元の世帯（K11）。returned_notice: 返戻になったお知らせ（K7）。
    """

    account_precedence: tuple[str, ...]
    adjustment_account: Literal["OWN_ONLY"]
    evacuee_origin: Literal["UNAFFECTED_AND_UNINFORMED"]
    returned_notice: Literal["STOP_PUSH"]


@dataclass(frozen=True)
class ScheduleTerms:
    """日程。

    apply_deadline・deadline_kind: 返送・申請の期限とその数え方（K6）。contract_to: 委託の終わり。
    push_window_days: お知らせの発送から辞退期限までの日数（K7）。
    fresh_business_days: 住民記録の写しが、何営業日まで新しいとみなされるか（CHK94）。
    """

    apply_deadline: date
    deadline_kind: Literal["POSTMARK", "ARRIVAL"]
    contract_to: date
    push_window_days: int
    fresh_business_days: int


@dataclass(frozen=True)
class LetterTerms:
    """手紙の方針。

    print_amount_outside: 外で刷る紙に、金額を載せてよいか（K5）。載せなければ、額の頁は区が刷る（F.2-2）。
    print_address2_outside: 外で刷る紙に、漢字方書を載せてよいか（F.2-5、区が確かめてから）。
    neutral_sender: 区が直接扱う人の封筒と紙の差出人。「〒番号 住所」で、課も給付の名も書かない（F.3）。
    envelope: 封筒の分け方（K14）。
    """

    print_amount_outside: bool
    print_address2_outside: bool
    neutral_sender: str
    envelope: Literal["ONE_PER_ENTITLEMENT"]


@dataclass(frozen=True)
class LetterConditions:
    """一種類の給付（slot の種類）の手紙で、確かめていただく文。{ward} は差出人の名に置き換わる。"""

    wrong_when: tuple[str, ...]
    declarations: tuple[str, ...]


@dataclass(frozen=True)
class TransferTerms:
    """振込: 一件の保留額・不可額（CHK72）と、銀行へ出すファイルの依頼人。

    file_line_max・file_total_max_yen: 一つのファイルに入る件数と合計（円）。様式の桁（formats §1.3）より広くはできず、
    銀行がもっと狭く決めていれば書く。
    budget_yen: この給付の予算（円）。書けば、振込の合計はこれを超えられない（阿武町の事例）。
    """

    line_hold_yen: int
    line_block_yen: int
    consignor_code: str
    consignor_name_kana: str
    sending_bank_code: str
    sending_bank_name_kana: str
    sending_branch_code: str
    sending_branch_name_kana: str
    sending_account_type: str
    sending_account_number: str
    file_line_max: int = 999_999
    file_total_max_yen: int = 999_999_999_999
    budget_yen: int | None = None


@dataclass(frozen=True)
class OfficeTerms:
    """差出人と問合せ先。

    return_to: 返送先の行（〒、住所、宛名）。返信用封筒を失くした人と、切り取って返す届のために紙に刷る。
    はがきでは外の面に出るので、給付の名は書かない。
    """

    ward_name: str
    office_name: str
    call_centre_phone: str
    return_to: tuple[str, ...]
