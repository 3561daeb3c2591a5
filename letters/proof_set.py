"""見本帳: 割付ごとに、むずかしい手紙（一番長い氏名、外字、外国の名、子の多い世帯、額の上と下）を刷った PDF の束。

    D/push_notice.pdf …   種類ごと。頁の順は mihon.json の「頁」
    D/amount_page.pdf     額の頁（区の中だけで刷る）
    D/mihon.json          割付の指紋、束の指紋、どの頁が何の見本か

区はこれを見て署名し、別の人が承認する。割付・言葉・書体・符号・事業のどれかが変われば指紋が変わり、
署名し直すまで組を出せない。架空の人だけで、実在の人の情報はない。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from benefit.domain.errors import RefusedByRule
from benefit.domain.letter import AGAIN, CHILD_CLAIM_FORM, FIRST_KINDS, LETTER_KINDS, PUSH_NOTICE
from benefit.domain.programme import Programme
from benefit.services.files import read_input, sha256_of, write_atomic, write_json
from benefit.services.home import Home
from letters import amounts
from letters.content import LetterContent
from letters.contents import neutral_sender
from letters.holding import reasons_to_hold
from letters.mailing import making_of, render_amounts
from letters.printing import print_pages
from letters.release import proof_digest
from letters.sample import PERSON, sample
from letters.sheet_code import KEY, SheetCode
from letters.words import known_words, load_words

MANIFEST_FILE = "mihon.json"
AMOUNTS_FILE = "amount_page.pdf"
#: 見本の手紙の発行日。見本帳はいつ作っても同じバイト列になる。
SHOWN_ON = date(2024, 6, 24)
#: 額の下と上（円）。調整給付は 1 万円単位、上は一件の不可額。
AMOUNT_BOUNDS = (10_000, 50_000, 100_000, 1_000_000)

#: カスタマバーコードを刷る郵便番号（見本の人のものは代表番号で、刷らない）。
_POSTAL_CODE = "1600022"
_LONG_ADDRESS = "東京都新宿区西早稲田三丁目123番地の4567　都営西早稲田第二アパート"
_LONG_ADDRESS2 = "21号棟12345号室　特定非営利活動法人新宿見本会　御中気付"


@dataclass(frozen=True)
class Edge:
    """見本一つ: 何の見本か（署名する人が読む言葉）と、普通の手紙と違うところ。"""

    says: str
    changes: Mapping[str, Any]


#: どの種類でも刷る見本。
EDGES = (
    Edge("普通の手紙", {}),
    Edge("一番長い氏名（漢字 24 字）", {"name": "東西南北東西南北東西　東西南北東西南北東西南北東"}),
    Edge("異体字（IVS）の氏名", {"name": "辻\U000e0101　葛\U000e0100子"}),
    Edge("旧字・人名の字", {"name": "髙﨑　濵德邉"}),
    Edge("互換漢字（U+FA19・U+F929）", {"name": "\ufa19田　\uf929子"}),
    Edge("基本多言語面の外の漢字（U+20BB7）", {"name": "\U00020bb7野　家子"}),
    Edge("英字の長い氏名", {"name": "MARIA CRISTINA DOS SANTOS DE OLIVEIRA FERNANDES"}),
    Edge("英字の氏名の、ついた印（é ñ ü）", {"name": "JOSÉ ÑÚÑEZ MÜLLER"}),
    Edge("かたかなの長い氏名", {"name": "グエン　ティ　ホアン　アイン　チャン　ファム"}),
    Edge("一字の氏名", {"name": "乙　一"}),
    Edge("一番長い住所と方書", {"address": _LONG_ADDRESS, "address2": _LONG_ADDRESS2}),
    Edge("方書のない住所", {"address2": ""}),
    Edge("町域の分からない郵便番号（カスタマバーコードなし）", {"postal_code": "1600000"}),
    Edge("枝番 99", {"branch": 99}),
)
#: 宛名のほかの見本。種類が合うものだけを刷る。
_MANY_BENEFITS = ("令和6年度非課税化給付", "令和6年度均等割のみ課税化給付", "こども加算", "調整給付")


def _edges(kind: str, programme: Programme) -> Iterator[Edge]:
    if LETTER_KINDS[kind].addressed:
        yield from EDGES
    else:
        yield EDGES[0]
    if "benefit_names" in LETTER_KINDS[kind].common:
        yield Edge("給付が四つ（子の多い世帯）", {"benefit_names": _MANY_BENEFITS})
    if kind in FIRST_KINDS:
        yield Edge("法定代理人あて（受給者の長い氏名）", {"payee_name": "東西南北東西南北東　東西南北東西南北東西南北"})
    if kind == PUSH_NOTICE:
        for flag, says in (("1", "生活保護費の口座"), ("3", "公金受取口座")):
            yield Edge(says, {"account_flag": flag, "masked_account": None})
        long = "架空信用金庫 西新宿中央支店 普通 ****987"
        yield Edge("長い銀行と店の名", {"masked_account": long})
    if LETTER_KINDS[kind].carries_amount:
        for yen in (AMOUNT_BOUNDS[0], AMOUNT_BOUNDS[-1]):
            yield Edge(f"額を刷る紙（{yen:,} 円。額を載せてよい紙だけ）", {"amount_yen": yen})
        yield Edge("区が直接扱う人の紙（差出人は住所だけ）", {"sender": neutral_sender(programme)})
    yield Edge("出し直した手紙", {"again": AGAIN[-1]})


def contents_of(kind: str, programme: Programme, key: bytes) -> list[tuple[str, LetterContent]]:
    """一種類の見本: (何の見本か, 手紙)。給付管理番号は架空で、頁ごとに違う。"""
    made = []
    sheets = LETTER_KINDS[kind].sheets
    number = int(LETTER_KINDS[kind].number.removeprefix("L"))
    for index, edge in enumerate(_edges(kind, programme), 1):
        case_number = f"9{number:02d}{index:08d}"
        changes = {"branch": 1, **edge.changes}
        codes = tuple(
            SheetCode.of(key, case_number, changes["branch"], number, sheet, sheets, 0).digits
            for sheet in range(1, sheets + 1)
        )
        person = {**PERSON, "postal_code": _POSTAL_CODE, "case_number": case_number}
        content = sample(kind, programme, SHOWN_ON, person=person, **{**changes, "sheet_codes": codes})
        made.append((edge.says, content))
    return made


@dataclass(frozen=True)
class ProofSet:
    """作った見本帳。digest: 割付などの指紋（署名が付くもの）。sha256: 束の指紋（署名する人が見たもの）。"""

    digest: str
    sha256: str
    files: int
    pages: int
    held: tuple[str, ...]


def make(home: Home, programme: Programme, out: Path) -> ProofSet:
    """見本帳を `out` に作る。いまの書体で刷れない見本は、刷らずに一覧に残す（本番でも止まる）。"""
    listed: list[dict[str, Any]] = []
    held: list[str] = []
    pages = 0
    key = home.key(KEY)
    for kind in _kinds(programme):
        letters: list[LetterContent] = []
        shown: list[str] = []
        for says, content in contents_of(kind, programme, key):
            reasons = reasons_to_hold(content)
            if reasons:
                points = " ".join(point for each in reasons for point in each.code_points)
                held.append(f"{LETTER_KINDS[kind].name}: {says}（{reasons[0].field} {reasons[0].reason} {points}）")
                continue
            letters.append(content)
            shown.append(says)
        pdf = print_pages(letters, load_words(kind, home.words), sample=range(len(letters)))
        digest = write_atomic(out / f"{kind}.pdf", pdf)
        listed.append({"ファイル": f"{kind}.pdf", "名": LETTER_KINDS[kind].name, "sha256": digest, "頁": shown})
        pages += len(letters)
    data, shown = _amount_pages(home, programme, key)
    digest = write_atomic(out / AMOUNTS_FILE, data)
    listed.append({"ファイル": AMOUNTS_FILE, "名": "額の頁", "sha256": digest, "頁": shown})
    whole = hashlib.sha256("\n".join(each["sha256"] for each in listed).encode()).hexdigest()
    made = ProofSet(proof_digest(home, programme), whole, len(listed), pages + len(shown), tuple(held))
    write_json(
        out / MANIFEST_FILE,
        {
            "事業": programme.id,
            "割付の指紋": made.digest,
            "束の指紋": made.sha256,
            "見本": listed,
            "刷れない見本（本番でも止まる）": list(held),
        },
    )
    return made


def _kinds(programme: Programme) -> list[str]:
    """割付と言葉のある種類。こども加算のない事業に、その申請書はない。"""
    templates = resources.files("letters") / "templates"
    there = [kind for kind in known_words() if (templates / f"{kind}.typ").is_file() and kind in LETTER_KINDS]
    return [kind for kind in there if kind != CHILD_CLAIM_FORM or programme.child]


def _amount_pages(home: Home, programme: Programme, key: bytes) -> tuple[bytes, list[str]]:
    making = making_of(home, programme, SHOWN_ON)
    pages, shown = [], []
    for index, yen in enumerate(AMOUNT_BOUNDS, 1):
        number = f"900{index:08d}"
        child = "辻\U000e0101　一郎丸" if index % 2 == 0 else ""
        code = SheetCode.of(key, number, 1, 1, 2, 2, 0).digits
        pages.append(amounts.AmountPage(number, 1, PERSON["name"], "調整給付", yen, child, code))
        shown.append(f"{yen:,} 円" + ("、子の名" if child else ""))
    return render_amounts(pages, making), shown


def read(home: Home, programme: Programme, folder: Path) -> tuple[str, str]:
    """署名・承認する見本帳の (割付の指紋, 束の指紋)。ファイルが違う、いまの割付のものでなければ RefusedByRule。"""
    told = json.loads(read_input(folder / MANIFEST_FILE).decode("utf-8"))
    for each in told["見本"]:
        path = folder / each["ファイル"]
        if not path.is_file() or sha256_of(path.read_bytes()) != each["sha256"]:
            raise RefusedByRule(f"見本帳の {each['ファイル']} がないか、変わっています", code="proof-set-changed")
    whole = hashlib.sha256("\n".join(each["sha256"] for each in told["見本"]).encode()).hexdigest()
    if whole != told["束の指紋"] or told["割付の指紋"] != proof_digest(home, programme):
        raise RefusedByRule(
            "この見本帳は、いまの割付・言葉・書体・符号のものではありません。作り直してください", code="proof-set-old"
        )
    return told["割付の指紋"], whole
