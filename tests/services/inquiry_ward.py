"""照会の試験のための、手で書ける小さな区。世帯を足し、抽出データを取り込み、照会し、答える。"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from benefit.domain.programme import Programme
from benefit.services import extracts, inquiries
from benefit.services.home import Home
from benefit.services.inquiry_answers import Answered
from benefit.services.standing import decide_now, gather
from benefit.store import ward
from tests.conftest import StepClock
from tests.support.small_ward import read, write

PROGRAMME = Programme.load("r6-2024")
ASKED = date(2024, 6, 24)

RESIDENT = {
    "在留カード番号": "",
    "郵便番号": "1608484",
    "漢字住所": "架空市架空町1-1",
    "漢字方書": "",
    "漢字氏名": "架空　花子",
    "カナ氏名": "カクウ　ハナコ",
    "旧氏": "",
    "生年月日": "1980-01-01",
    "続柄": "世帯主",
    "住民となった日": "2010-04-01",
    "住民となった事由": "転入",
    "1月1日住所地": "",
    "消除日": "",
    "消除事由": "",
}
TAX = {
    "賦課年度": "2024",
    "賦課区分": "住所",
    "申告区分": "申告済",
    "均等割額": "0",
    "減税前所得割額_区": "0",
    "減税前所得割額_都": "0",
    "減税後所得割額": "0",
    "合計所得金額": "0",
    "総所得金額等": "0",
    "課税総所得金額": "0",
    "人的控除差額": "0",
    "分離課税所得税額": "0",
    "住宅ローン控除可能額": "",
    "住宅ローン控除額_住民税": "0",
    "確定申告所得税額": "",
    "推計所得税額": "0",
    "同一生計配偶者": "0",
    "控除対象配偶者": "0",
    "配偶者国外居住": "0",
    "扶養親族数_16歳以上": "0",
    "扶養親族数_16歳未満": "0",
    "国外居住扶養親族数": "0",
    "租税条約免除": "0",
    "条例減免": "なし",
    "扶養者宛名番号": "",
    "死亡日": "",
}
HEADINGS = {
    "residents": ["住民番号", "世帯番号", *RESIDENT],
    "taxes": ["宛名番号", *TAX],
    "prior": ["給付名", "世帯番号", "住民番号", "続柄", "状態"],
    "accounts": ["宛名番号", "口座種別", "金融機関コード", "支店コード", "預金種目", "口座番号", "口座名義カナ"],
    "protected": ["住民番号", "区分"],
}
TAX_ANSWER = ["照会番号", "住民番号", "回答", "均等割額", "所得割額_減税前", "所得割額_減税後", "租税条約免除"]
ACCOUNT_ANSWER = ["照会番号", "住民番号", "登録", *HEADINGS["accounts"][2:]]
ACCOUNT = ("9999", "001", "1", "9000001", "ｶｸｳ ﾊﾅｺ")
BLANK = ("", "", "", "", "")


@dataclass
class Ward:
    """一つの区。`people` は名前から住民番号へ。"""

    home: Home
    folder: Path
    clock: StepClock = field(default_factory=StepClock)
    rows: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {kind: [] for kind in HEADINGS})
    people: dict[str, str] = field(default_factory=dict)
    files: int = 0

    def add(self, name: str, home: int, *, tax: dict[str, str] | None = None, **resident: str) -> str:
        """人を一人足す。`tax` がなければ住民税の行がない。"""
        number = f"{1000 + len(self.people):010d}"
        self.people[name] = number
        self.rows["residents"].append(RESIDENT | {"住民番号": number, "世帯番号": f"{home:010d}"} | resident)
        if tax is not None:
            self.rows["taxes"].append(TAX | {"宛名番号": number} | tax)
        return number

    def mover(self, name: str, home: int, code: str = "20201", **resident: str) -> str:
        """令和6年1月2日以降に転入し、課税の分からない人。"""
        return self.add(name, home, **{"住民となった日": "2024-03-01", "1月1日住所地": code} | resident)

    def protect(self, *names: str) -> None:
        self.rows["protected"] += [{"住民番号": self.people[name], "区分": "DV"} for name in names]

    def load(self, *kinds: str) -> None:
        for kind in kinds or tuple(HEADINGS):
            self.files += 1
            path = self.folder / f"{kind}-{self.files}.csv"
            write(path, self.rows[kind], HEADINGS[kind])
            extracts.import_file(self.home, kind, path, clock=self.clock, levy_year=2024)

    def ask(self, kind: str = "tax", today: date = ASKED, *, out: str = "asked", **how: Any) -> inquiries.Exported:
        return inquiries.export(
            self.home, PROGRAMME, today, kind, out=self.folder / out, clock=self.clock, **how
        )  # fmt: skip

    def asked(self, kind: str = "tax", today: date = ASKED, **how: Any) -> dict[str, dict[str, str]]:
        """照会ファイルの行を、人の名前で。"""
        names = {number: name for name, number in self.people.items()}
        return {names[row["住民番号"]]: row for row in read(self.ask(kind, today, **how).path)}

    def numbers(self, kind: str = "tax") -> dict[tuple[str, int], str]:
        """出した番号: (名前, 回) → 照会番号。"""
        names = {int(number): name for name, number in self.people.items()}
        table = ward.inquiry
        with self.home.ward.connect() as connection:
            rows = connection.execute(table.select().where(table.c.kind == kind)).mappings().all()
        return {(names[row["person_number"]], row["attempt"]): row["inquiry_number"] for row in rows}

    def answer(self, *said: tuple[Any, ...], kind: str = "tax", name: str = "", allow: int = 0) -> Answered:
        """回答のファイルを作って取り込む。`said`: (名前, 回, 回答…)。課税照会の足りない列は、空白と 0。"""
        self.files += 1
        path = self.folder / (name or f"{kind}_answers-{self.files}.csv")
        numbers, heading = self.numbers(kind), TAX_ANSWER if kind == "tax" else ACCOUNT_ANSWER
        blank = ("", "", "", "0") if kind == "tax" else BLANK
        rows = []
        for who, attempt, word, *values in said:
            cells = [*values, *blank[len(values) :]]
            rows.append(dict(zip(heading, [numbers[who, attempt], self.people[who], word, *cells], strict=True)))
        write(path, rows, heading)
        return self.take(path, kind, allow)

    def take(self, path: Path, kind: str = "tax", allow: int = 0) -> Answered:
        return inquiries.import_answers(
            self.home, PROGRAMME, kind, path, clock=self.clock, encoding=None, allow_rejects=allow
        )

    def classes(self, today: date = ASKED) -> dict[str, str]:
        """人の名前 → いまの課税区分。"""
        names = {int(number): name for name, number in self.people.items()}
        persons = decide_now(gather(self.home, PROGRAMME, today)).persons
        return {names[number]: letter for number, letter in persons.select("person_number", "tax_class").iter_rows()}

    def audit(self, action: str) -> list[dict[str, Any]]:
        log = ward.audit_log
        with self.home.ward.connect() as connection:
            query = log.select().where(log.c.action == action).order_by(log.c.sequence)
            return [dict(row) for row in connection.execute(query).mappings()]
