"""抽出データの列: 何が採用され、何が不採用になり、採用された値がどの型になるか（契約 §1）。"""

from __future__ import annotations

from datetime import date

import pytest

from benefit.domain.errors import RefusedInput
from benefit.records import extracts
from benefit.records.extracts import TABLES
from tests.records.extract_samples import GOOD, NO_ACCOUNT, read, written

TOGETHER = {"令和6年度所得割額", "住民税分人数", "当初所要額"}


def kept(kind: str, column: str, value: str) -> bool:
    found = read(kind, {column: value})
    assert found.rows_read == found.rows_kept + found.rows_rejected == 1
    if found.rows_rejected:
        assert found.rejects["列"].to_list() == [column]
    return found.rows_kept == 1


def test_the_contracts_order_of_columns_is_the_declarations_order() -> None:
    assert {kind: [column.heading for column in table.columns] for kind, table in TABLES.items()} == {
        kind: list(row) for kind, row in GOOD.items()
    }


@pytest.mark.parametrize("kind", GOOD)
def test_a_row_as_the_contract_writes_it_is_kept_in_any_order_of_columns(kind: str) -> None:
    first = read(kind, {})
    turned = ",".join(reversed(GOOD[kind])) + "\n" + ",".join(reversed(GOOD[kind].values())) + "\n"
    second = extracts.read(TABLES[kind], turned.encode(), file_name="x.csv")
    assert first.rows_kept == 1
    assert first.frame.equals(second.frame)


@pytest.mark.parametrize("kind", GOOD)
def test_a_blank_is_kept_only_where_blank_has_a_meaning(kind: str) -> None:
    for column in TABLES[kind].columns:
        # ほかの列と合わせて空白になる列は、そこで確かめる。
        if kind == "account_answers" and column.heading in NO_ACCOUNT:
            continue
        if kind == "shortfall" and column.heading in TOGETHER:
            continue
        assert kept(kind, column.heading, "") == bool(column.blank), column.heading
    meant = {column.heading for column in TABLES[kind].columns if column.blank} - TOGETHER
    assert meant == {
        "residents": {"在留カード番号", "漢字方書", "カナ氏名", "旧氏", "1月1日住所地", "消除日", "消除事由"},
        "taxes": {"住宅ローン控除可能額", "確定申告所得税額", "推計所得税額", "扶養者宛名番号", "死亡日"},
        "shortfall": {"令和6年分所得税額", "令和6年度合計所得金額", "死亡日"},
        "addresses": {"カナ氏名", "漢字方書"},
        "tax_answers": {"均等割額", "所得割額_減税前", "所得割額_減税後"},
        "account_answers": set(NO_ACCOUNT),
    }.get(kind, set())


@pytest.mark.parametrize(
    ("kind", "column", "good", "bad"),
    [
        (
            "residents",
            "住民番号",
            ["0000000001", "9999999999"],
            ["123456789", "12345678901", "０123456789", "+123456789", " 123456789"],
        ),
        ("residents", "郵便番号", ["0000000"], ["169-0075", "169007", "16900755"]),
        ("residents", "1月1日住所地", ["01100"], ["1100", "011002"]),
        ("residents", "在留カード番号", ["AB12345678CD"], ["AB1234567CD", "ab12345678cd", "AB12345678CDE"]),
        (
            "residents",
            "漢字氏名",
            ["=1+1", "𠮷田　葛󠄀", "O'Neil", "ｱ"],
            ["　", " ", "山\x0b田", "山\x85田", "山\x00田", "\x7f"],
        ),
        (
            "residents",
            "住民となった日",
            ["2024-02-29", "1800-01-01"],
            [
                "2023-02-29",
                "2024-2-9",
                "2024-02-00",
                "2024/02/29",
                "20240229",
                "1799-12-31",
                "0000-01-01",
                "2024-02-290",
                "２０２４-02-29",
            ],
        ),
        (
            "residents",
            "生年月日",
            ["1970-00-00", "1970-02-00", "1970-00-31", "2024-02-29"],
            ["1970-02-30", "1970-13-00", "1970-00-32", "0000-00-00", "S45-05-06", "1970-5-6"],
        ),
        ("residents", "住民となった事由", ["その他"], ["転居", "転入 "]),
        (
            "taxes",
            "均等割額",
            ["0", "999999999999"],
            ["-1", "4,000", "4000円", "4000.0", "４０００", "1e3", "1000000000000", "--1"],
        ),
        ("taxes", "合計所得金額", ["-1", "-999999999999"], ["--1", "-", "−1", "-1000000000000"]),
        ("taxes", "総所得金額等", ["-1"], ["+1"]),
        ("taxes", "課税総所得金額", ["0"], ["-1"]),
        ("taxes", "賦課年度", ["2024"], ["2023", "2025", "24", "R6"]),
        ("taxes", "扶養親族数_16歳以上", ["0", "99"], ["-1", "100", "二"]),
        ("taxes", "同一生計配偶者", ["0", "1"], ["2", "有", "true"]),
        ("taxes", "扶養者宛名番号", ["区外", "9000000001"], ["区内", "123"]),
        ("accounts", "金融機関コード", ["0001"], ["1", "00001", "１２３４"]),
        ("accounts", "預金種目", ["1", "2", "4"], ["3", "9", "0"]),
        ("accounts", "口座番号", ["0000001"], ["1", "90000001"]),
        ("tax_answers", "均等割額", ["0"], ["-1"]),
    ],
)
def test_both_sides_of_the_line(kind: str, column: str, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if not kept(kind, column, value)] == []
    assert [value for value in bad if kept(kind, column, value)] == []


@pytest.mark.parametrize(
    ("birth", "earliest", "latest"),
    [
        ("1970-05-06", date(1970, 5, 6), date(1970, 5, 6)),
        ("1970-05-00", date(1970, 5, 1), date(1970, 5, 31)),
        ("2024-02-00", date(2024, 2, 1), date(2024, 2, 29)),
        ("1970-00-00", date(1970, 1, 1), date(1970, 12, 31)),
        ("1970-00-15", date(1970, 1, 15), date(1970, 12, 15)),
    ],
)
def test_an_unknown_birthday_leaves_its_whole_range_open(birth: str, earliest: date, latest: date) -> None:
    row = read("residents", {"生年月日": birth}).frame
    assert row.select("birth", "birth_earliest", "birth_latest").row(0) == (birth, earliest, latest)


def test_a_supporter_is_a_number_or_outside_or_nobody() -> None:
    found = read(
        "taxes", *({"宛名番号": f"000000000{n}", "扶養者宛名番号": v} for n, v in enumerate(["", "区外", "0000000007"]))
    )
    assert found.frame.select("supporter_number", "supporter_outside").rows() == [
        (None, False),
        (None, True),
        (7, False),
    ]


def test_blank_money_is_null_and_never_zero() -> None:
    frame = read("taxes", {}, {"宛名番号": "0000000002", "推計所得税額": "0"}).frame
    assert frame["estimated_income_tax_yen"].to_list() == [None, 0]


def test_names_are_never_changed_but_a_field_of_spaces_is_blank() -> None:
    frame = read("residents", {"漢字氏名": " 山田　太郎　", "カナ氏名": "　", "漢字方書": " "}).frame
    assert frame.select("name", "kana_name", "address2").row(0) == (" 山田　太郎　", None, None)


def test_more_relatives_abroad_than_relatives_is_a_damaged_number() -> None:
    assert kept("taxes", "国外居住扶養親族数", "2")
    assert not kept("taxes", "国外居住扶養親族数", "3")


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({"登録": "無"} | NO_ACCOUNT, True),
        ({"登録": "提供停止"} | NO_ACCOUNT, True),
        ({"登録": "有"}, True),
        ({"登録": "有", "口座番号": ""}, False),
        ({"登録": "有", "口座名義カナ": "　"}, False),
        ({"登録": "無"} | NO_ACCOUNT | {"口座番号": "9000001"}, False),
        ({"登録": "提供停止"}, False),
    ],
)
def test_an_account_answer_has_an_account_exactly_when_one_is_registered(change: dict[str, str], good: bool) -> None:
    assert read("account_answers", change).rows_kept == good


@pytest.mark.parametrize(
    ("kind", "second", "kept_rows"),
    [
        ("residents", {"漢字氏名": "別人"}, 0),
        ("residents", {"住民番号": "0010000002"}, 2),
        ("taxes", {"賦課区分": "家屋敷"}, 0),
        ("taxes", {"宛名番号": "0010000002"}, 2),
        ("accounts", {"口座番号": "9000002"}, 0),
        ("accounts", {"口座種別": "過去給付"}, 2),
        ("prior", {"給付名": "3万円"}, 2),
        ("addresses", {"種別": "転出先"}, 2),
    ],
)
def test_a_second_row_for_the_same_number_rejects_every_row_of_the_clash(
    kind: str, second: dict[str, str], kept_rows: int
) -> None:
    """どちらが正しいか、こちらでは決められない。"""
    found = read(kind, {}, second)
    assert (found.rows_kept, found.rows_rejected) == (kept_rows, 2 - kept_rows)
    assert set(found.rejects["コード"]) <= {"duplicate"}


def test_two_blank_numbers_are_blank_and_not_a_clash() -> None:
    found = read("residents", {"住民番号": ""}, {"住民番号": ""})
    assert found.rejects["コード"].to_list() == ["blank", "blank"]


def test_another_programme_has_another_levy_year() -> None:
    assert read("taxes", {"賦課年度": "2025"}, levy_year=2025).rows_kept == 1
    assert read("taxes", {}, levy_year=2025).rows_kept == 0


def test_a_row_says_every_problem_it_has_with_its_line_and_what_is_allowed() -> None:
    found = read("residents", {}, {"住民番号": "1", "消除事由": "引越"})
    reasons = "転出、国外転出、死亡、職権、または空白（住民である）"
    assert found.rejects.rows() == [
        (3, "住民番号", "not-digits", "「1」は許されません。許されるもの: 10 桁の数字"),
        (3, "消除事由", "not-word", f"「引越」は許されません。許されるもの: {reasons}"),
    ]
    assert (found.rows_read, found.rows_kept, found.rows_rejected) == (2, 1, 1)
    assert found.frame["line"].to_list() == [2]


def test_the_list_of_rejects_is_safe_to_open_in_a_spreadsheet() -> None:
    found = read("residents", {"住民番号": "=cmd()", "郵便番号": "@x"})
    told = extracts.rejects_csv(found).decode("utf-8-sig").splitlines()
    assert told[0] == "行,列,コード,内容"
    fields = [field.strip('"') for line in told[1:] for field in line.split(",")]
    assert len(told) == 3
    assert not [field for field in fields if field[:1] in tuple("=+-@＝＋－＠\t\r")]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_whatever_a_later_check_says_is_made_harmless_too(sign: str) -> None:
    found = read("residents", {})
    more = found.without(found.frame["line"], column="続柄", code="x", detail=f"{sign}1+1")
    assert (more.rows_read, more.rows_kept, more.rows_rejected) == (1, 0, 1)
    last = extracts.rejects_csv(more).decode("utf-8-sig").split("続柄,x,")[1]
    assert last.strip('"').startswith(f"'{sign}")


@pytest.mark.parametrize("value", ["123456789018", "1234-5678-9018", "1234 5678 9018", "x123456789018"])
def test_twelve_digits_are_never_copied_into_the_list_of_rejects(value: str) -> None:
    told = extracts.rejects_csv(read("residents", {"郵便番号": value}, {"住民番号": "0010000002"})).decode()
    assert "9018" not in told
    assert "（12 桁の番号）" in told


def headed(kind: str, heading: list[str]) -> bytes:
    return (",".join(heading) + "\n" + ",".join("x" for _ in heading) + "\n").encode()


def test_a_known_heading_twice_is_refused_and_unnamed_columns_are_only_warned_of() -> None:
    heading = list(GOOD["prior"])
    with pytest.raises(RefusedInput, match="同じ見出しが二つ"):
        extracts.read(TABLES["prior"], headed("prior", [*heading, "続柄"]), file_name="x.csv")
    found = extracts.read(TABLES["prior"], headed("prior", [*heading, "", "", "町会"]), file_name="x.csv")
    assert found.warnings == (
        "知らない6 列目は読みません",
        "知らない7 列目は読みません",
        "知らない列「町会」は読みません",
    )


def test_a_file_without_a_header_is_refused_without_showing_the_first_person() -> None:
    rows = written("residents", {}, {"住民番号": "0010000002"}).split(b"\n", 1)[1]
    with pytest.raises(RefusedInput) as refused:
        extracts.read(TABLES["residents"], rows, file_name="x.csv")
    assert refused.value.code == "missing-columns"
    assert "山田" not in str(refused.value)
    assert "0010000001" not in str(refused.value)
