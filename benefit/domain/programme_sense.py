"""事業の値どうしの筋: 型は合っていても、事業として成り立たない・害になる値を、職員に分かる言葉で言う。

ここで見逃したものは、対象者を作ってから、悪ければ振込のときに分かる。だから、置く前に全部を見る。
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from benefit.domain.programme import Programme
from benefit.domain.programme_parts import AdjustmentTerms

#: 一件の額の上限（円）。台帳の制約と同じ（阿武町の事例）。
MOST_YEN = 1_000_000
_NEEDS = {
    "household": {"untaxed_household", "per_capita_household"},
    "child": {"child"},
    "adjustment": {"taxpayer"},
    "shortfall": {"shortfall", "shortfall_fixed"},
}
_HALF_WIDTH = re.compile(r"[ -~｡-ﾟ]+")


def unsound(programme: Programme) -> str | None:
    """筋の通らないところの一つ目。なければ None。"""
    parts = (_names, _dates, _schedule, _benefits, _computed, _letters, _transfer)
    return next((says for part in parts for holds, says in part(programme) if not holds), None)


Rules = Iterator[tuple[bool, str]]


def _names(programme: Programme) -> Rules:
    yield (
        re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", programme.id) is not None,
        "id は、半角の英数字と - _ で 40 文字までです",
    )
    for benefit in programme.benefits.values():
        yield (
            re.fullmatch(r"[A-Za-z0-9-]{1,8}", benefit.id) is not None,
            f"給付種別「{benefit.id}」は、半角の英数字と - で 8 文字までです",
        )
    if programme.household is not None:
        name = programme.household.ineligible_id
        yield (
            re.fullmatch(r"[A-Za-z0-9-]{1,8}", name) is not None and name not in programme.benefits,
            "household.ineligible_id は、どの給付とも違う、半角 8 文字までの名です",
        )


def _dates(programme: Programme) -> Rules:
    levy, base = programme.levy_date, programme.base_date
    yield levy <= base, "賦課期日（levy_date）が基準日（base_date）より後です"
    yield programme.levy_year == levy.year, "賦課年度（levy_year）は、賦課期日（levy_date）の年です"
    yield levy < programme.entered_from <= base, "entered_from は賦課期日の翌日以後、基準日までです"
    yield (
        levy.year - programme.under_16_born_from.year == 16,
        "under_16_born_from は、賦課期日の年の 16 年前の日付です（それより後に生まれた人が 16 歳未満）",
    )
    if programme.child is not None:
        yield programme.child.born_from <= base, "child.born_from が基準日より後です"
        yield programme.child.newborn_until >= base, "child.newborn_until が基準日より前です"


def _schedule(programme: Programme) -> Rules:
    schedule = programme.schedule
    yield schedule.apply_deadline >= programme.base_date, "申請期限（schedule.apply_deadline）が基準日より前です"
    yield (
        schedule.contract_to >= schedule.apply_deadline,
        "委託の終わり（schedule.contract_to）が申請期限より前です",
    )
    yield 1 <= schedule.push_window_days <= 90, "schedule.push_window_days は 1 以上、90 以下です"
    yield (
        0 <= schedule.fresh_business_days <= 10,
        "schedule.fresh_business_days は 0 以上、10 以下です（古い住民記録で外へ出さない）",
    )


def _benefits(programme: Programme) -> Rules:
    benefits = programme.benefits.values()
    who = [benefit.who for benefit in benefits]
    yield len(set(who)) == len(who), "同じ相手（who）への給付が二つあります"
    yield (
        programme.household is None or "untaxed_household" in who,
        "世帯の給付のある事業には、非課税の世帯（untaxed_household）への給付を書きます",
    )
    yield (
        programme.child is None or programme.household is not None,
        "こども加算（[child]）は、世帯の給付（[household]）のある事業にだけ書けます",
    )
    yield programme.adjustment is None or programme.shortfall is None, "調整給付と不足額給付は、別の事業に分けます"
    yield programme.shortfall is None or "shortfall" in who, "不足額給付の事業には、I（shortfall）への給付を書きます"
    for table, kinds in _NEEDS.items():
        present = getattr(programme, table) is not None
        yield (
            present == bool(kinds & set(who)),
            f"表「{table}」と、その相手（{'・'.join(sorted(kinds))}）への給付は、両方書きます",
        )
    most = programme.transfer.line_block_yen
    for benefit in benefits:
        computed = benefit.who in {"taxpayer", "shortfall"}
        yield (
            (benefit.amount_yen is None) == computed,
            f"benefits.{benefit.id}.amount_yen は、{'計算で決まる給付には書けません' if computed else '書きます'}",
        )
        if benefit.amount_yen is not None:
            yield (
                0 < benefit.amount_yen <= most,
                f"benefits.{benefit.id}.amount_yen は 1 円以上、{most:,} 円以下です",
            )


def _computed(programme: Programme) -> Rules:
    most = programme.transfer.line_block_yen
    for terms in (programme.adjustment, programme.shortfall):
        if terms is None:
            continue
        yield (
            0 < terms.rounding_yen <= most and terms.income_cap_yen > 0,
            f"切り上げの単位は 1 円以上 {most:,} 円以下、所得の上限は 1 円以上です",
        )
        yield (
            all(0 < unit <= most for unit in (terms.income_tax_unit_yen, terms.resident_tax_unit_yen)),
            f"一人あたりの額（…_unit_yen）は 1 円以上、{most:,} 円以下です",
        )
    if programme.shortfall is not None:
        yield (
            0 < programme.shortfall.abroad_amount_yen <= most and programme.shortfall.dependant_income_yen >= 0,
            f"shortfall.abroad_amount_yen は 1 円以上 {most:,} 円以下、dependant_income_yen は 0 円以上です",
        )
    if programme.adjustment is not None:
        yield from _quick_table(programme.adjustment)


def _quick_table(terms: AdjustmentTerms) -> Rules:
    rows = terms.quick_table
    lowest = [row[0] for row in rows]
    yield lowest == sorted(set(lowest), reverse=True), "adjustment.quick_table は、下限の高い順に書きます"
    yield lowest[-1] <= 1_000, "adjustment.quick_table の最後の行の下限は、1,000 円以下です（それより下は税がない）"
    for (bound, percent, deduction), (_, percent_below, deduction_below) in itertools.pairwise(rows):
        # 税は段の境で跳ばない。率か控除額を一字書き誤れば、ここで分かる。
        yield (
            bound * percent // 100 - deduction == bound * percent_below // 100 - deduction_below,
            f"adjustment.quick_table の税が、下限 {bound:,} 円の境で跳んでいます（率か控除額の誤り）",
        )


def _letters(programme: Programme) -> Rules:
    yield (
        re.fullmatch(r"〒[0-9]{3}-[0-9]{4} \S.{2,25}", programme.letters.neutral_sender) is not None,
        "letters.neutral_sender は「〒160-8484 東京都…」の形です（郵便番号、空白、住所。住所は 26 字まで）",
    )
    returns = programme.office.return_to
    yield (
        len(returns) == 3
        and re.fullmatch(r"〒[0-9]{3}-[0-9]{4}", returns[0]) is not None
        and max(map(len, returns)) <= 26,
        "office.return_to は、〒番号、住所、宛名の三行です（一行 26 字まで）",
    )
    yield (
        not any(name in line for line in returns for name in (programme.name, *programme.benefit_names.values())),
        "office.return_to に、給付の名は書けません（はがきの外の面に出る）",
    )
    named = (programme.office.office_name, programme.name, *programme.benefit_names.values())
    yield (
        not any(name in programme.letters.neutral_sender for name in named),
        "letters.neutral_sender に、課の名と給付の名は書けません（封筒から、何の手紙か分かる）",
    )
    yield (
        set(programme.conditions) == {benefit.slot_kind for benefit in programme.benefits.values()},
        "conditions の表は、給付の slot の種類（HH100K・CHILD・ADJ・SHORT）と同じです",
    )
    for name, words in programme.conditions.items():
        texts = (*words.wrong_when, *words.declarations)
        yield (
            not any(re.search(r"[{}]", text.replace("{ward}", "")) for text in texts),
            f"conditions.{name} の文で使える {{…}} は {{ward}} だけです（ほかは、そのまま刷られてしまう）",
        )


def _transfer(programme: Programme) -> Rules:
    terms = programme.transfer
    yield (
        0 < terms.line_hold_yen <= terms.line_block_yen <= MOST_YEN,
        "transfer.line_hold_yen ≦ line_block_yen ≦ 1,000,000 です（阿武町の事例）",
    )
    yield (
        1 <= terms.file_line_max <= 999_999 and 1 <= terms.file_total_max_yen <= 999_999_999_999,
        "transfer.file_line_max は 999,999 件まで、file_total_max_yen は 12 桁までです（総合振込の様式の桁）",
    )
    yield terms.budget_yen is None or terms.budget_yen >= 1, "transfer.budget_yen は 1 円以上です（なければ書きません）"
    precedence = programme.route.account_precedence
    yield (
        sorted(precedence) == sorted(("生活保護", "過去給付", "公金受取")),
        "route.account_precedence は 生活保護・過去給付・公金受取 の並べ替えです",
    )
    digits = {"consignor_code": 10, "sending_bank_code": 4, "sending_branch_code": 3, "sending_account_number": 7}
    for name, length in digits.items():
        yield (
            re.fullmatch(rf"[0-9]{{{length}}}", getattr(terms, name)) is not None,
            f"transfer.{name} は、半角の数字 {length} 桁です",
        )
    yield terms.sending_account_type in {"1", "2", "9"}, "transfer.sending_account_type は 1（普通）・2（当座）・9 です"
    widths = {"consignor_name_kana": 40, "sending_bank_name_kana": 15, "sending_branch_name_kana": 15}
    for name, width in widths.items():
        written = getattr(terms, name)
        yield (
            _HALF_WIDTH.fullmatch(written) is not None and len(written) <= width,
            f"transfer.{name} は、半角のカナと英数字で {width} 文字までです",
        )
