"""印刷の再委託先に渡す包み: 出してよい組の PDF と、六つの列のデータだけを、AES-256 の ZIP にする（seed 002 再委託）。

    print-0003.zip（WinZip AES-256、7-Zip で開く）
      20240624-01/push_notice-0001.pdf …   組のまま
      insatsu.csv                          氏名、郵便番号、住所、給付管理番号、過去の口座（伏せた形）、口座フラグ
      mokuroku.json                        通数、枚数、列、ファイルの指紋（個人の情報はない）

中のファイルは同じ組から同じバイト列になる。ZIP の塩は毎回違うので、中身の指紋（inside）を別に残す。
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyzipper

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.handover_states import PRINT_OUT, REPORT_DAYS
from benefit.domain.letter import LETTER_KINDS
from benefit.domain.programme import Programme
from benefit.records import print_data
from benefit.services import handover_book_files as files
from benefit.services import handover_book_passphrase as passphrases
from benefit.services.files import MANIFEST, atomic_path, read_manifest, sha256_of, write_atomic
from benefit.services.handover_book import Item, item, need_staff
from benefit.services.handover_book_print import lots_by_digest, printer_rows
from benefit.services.home import Home
from benefit.services.mailing_lots import LotState
from benefit.store.engine import in_turn, reading
from letters.sheets import SHEETS_FILE, sheets_folder

LISTING = "mokuroku.json"
#: ZIP の中の日付（いつ作っても同じにする）。
_DATE = (1980, 1, 1, 0, 0, 0)
#: 封入の符号 24 桁の、種類、版、検査の所（letters/sheet_code.py）。
_KIND, _LAYOUT, _CHECK = slice(13, 15), slice(17, 20), slice(20, 24)


@dataclass(frozen=True)
class _Lots:
    """渡された組のフォルダから読んだもの。"""

    files: dict[str, Path]
    digests: dict[str, str]
    pages: int
    layouts: Counter[str]
    check_sum: int
    sheets: int


@dataclass(frozen=True)
class Packed:
    """作った包み。held はデータに載せられなかった通数（PDF には刷ってある）。"""

    item: Item
    folder: Path
    letters: int
    data_rows: int
    held: int
    already: bool


def make_package(
    home: Home,
    programme: Programme,
    folders: Sequence[Path],
    *,
    counterpart: str,
    title: str = "",
    encoding: str = "utf-8",
    report_days: int = REPORT_DAYS,
    actor: Actor,
    clock: Clock,
) -> Packed:
    """組のフォルダ `folders`（out/printer/20240624-01 など）から、包みを一つ作り、受渡管理簿に載せる。

    同じ組をもう一度頼むと、前の包みを返す（途中で止まっていれば終わらせる）。
    断り: 登録のない・変わった・作り直した・区の中の組、出す許しのない組、止めるべき手紙（RefusedByRule）、
    相手の名がない、期限の日数・符号が違う（WrongUse）。
    """
    need_staff(actor)
    if not counterpart.strip():
        raise WrongUse("渡す相手（再委託先）の名を書いてください", code="counterpart")
    if not 1 <= report_days <= 365:
        raise WrongUse("消去報告書の期限の日数が違います", code="report-days", allowed="1 から 365")
    given = _read(folders)
    with reading(home.ward) as connection:
        lots = lots_by_digest(connection, list(given.digests.values()))
    numbers = sorted(lot.id for lot in lots)
    if (before := _before(home, numbers, clock)) is not None:
        return before
    rows = printer_rows(home, programme, lots, tokyo_date(clock()))
    data = print_data.write(rows, print_data.PRINTER, encoding=encoding)
    if data.rows + data.held_rows != sum(lot.letter_count for lot in lots):
        raise RefusedByRule("データと組の数が合いません", code="count", found=f"{data.rows} + {data.held_rows}")
    listing = _listing(programme, given, lots, data, encoding)
    inside: dict[str, Path | bytes] = {**given.files}
    inside[print_data.FILE_NAME] = data.data
    inside[LISTING] = (json.dumps(listing, ensure_ascii=False, indent=1) + "\n").encode()
    inside_digest = _inside_digest(inside, given.digests)
    passphrase = passphrases.new_passphrase()
    with home.ward.begin() as connection:
        in_turn(connection, "handover-book")
        if (packed := files.already_packed(connection, numbers, clock)) is not None:
            raise RefusedByRule("この組は、いま別の人が包みました", code="packed", found=packed.name)
        sequence = files.next_sequence(connection)
        folder = f"print-{sequence:04d}"
        _clean(files.folder_of(home, folder))
        digest = _write_zip(files.zip_path(home, folder), inside, passphrase)
        if data.held.height:
            write_atomic(files.folder_of(home, folder) / "held.csv", data.held.write_csv().encode("utf-8-sig"))
        name = f"{PRINT_OUT}/{sequence}"
        contents = files.Contents(
            programme=programme.id,
            counterpart=counterpart.strip(),
            title=title.strip() or f"{programme.name} 印刷・封入封緘",
            content=_content(lots),
            letters=rows.height,
            sheets=given.sheets or given.pages,
            inside_sha256=inside_digest,
            sha256=digest,
            sealed=passphrases.seal(home, name, inside_digest, passphrase),
            report_days=report_days,
            lots=numbers,
            manifest={
                "種類": "印刷の包み",
                "受渡": name,
                "相手方": counterpart.strip(),
                "ファイル": f"{folder}.zip",
                "sha256": digest,
                "中身の指紋": inside_digest,
                **listing,
                "作成日時": clock().isoformat(),
            },
        )
        files.register(connection, sequence, folder, contents, actor=actor, clock=clock)
    made = item(home, name, tokyo_date(clock()))
    files.finish(home, made)
    return Packed(made, files.folder_of(home, folder), rows.height, data.rows, data.held_rows, already=False)


def _before(home: Home, numbers: Sequence[int], clock: Clock) -> Packed | None:
    """前に同じ組から作った包み。止まっていれば終わらせる。"""
    with reading(home.ward) as connection:
        found = files.already_packed(connection, numbers, clock)
    if found is None:
        return None
    files.finish(home, found)
    folder = files.folder_of(home, found.folder)
    told = read_manifest(folder)
    return Packed(found, folder, found.row_count, told["データの行"], told["データに載せない通"], already=True)


def _read(folders: Sequence[Path]) -> _Lots:
    """組のフォルダ。manifest に載ったファイルだけを、指紋を確かめて取る。"""
    found: dict[str, Path] = {}
    digests: dict[str, str] = {}
    pages, layouts, check_sum = 0, Counter[str](), 0
    for folder in folders:
        for lot in read_manifest(folder)["組"]:
            path, name = folder / lot["ファイル"], f"{folder.name}/{lot['ファイル']}"
            if not path.is_file() or files.digest_of_file(path) != lot["sha256"] or name in found:
                raise RefusedByRule("組のファイルがないか、変わっています", code="lot-changed", found=name)
            found[name], digests[name] = path, lot["sha256"]
            pages += int(lot["頁数"])
        # 渡す組の紙だけを数える（額の頁など、区が別に刷る組の紙も同じ一覧にある）。
        codes = [code for name, code in _sheet_codes(folder) if f"{folder.name}/{name}" in found]
        layouts.update(f"L{int(code[_KIND])} 版{code[_LAYOUT]}" for code in codes)
        check_sum += sum(int(code[_CHECK]) for code in codes)
    if not found:
        raise WrongUse("渡す組がありません", code="no-lot")
    return _Lots(found, digests, pages, layouts, check_sum, layouts.total())


def _sheet_codes(folder: Path) -> list[tuple[str, str]]:
    """区の中の一覧の、(組のファイル, 封入の符号)。一覧は包みに入れない（写すだけで「刷った」と言えてしまう）。"""
    path = sheets_folder(folder) / SHEETS_FILE
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        return [(row["ロット"], row["封入の符号"]) for row in csv.DictReader(lines)]


def _listing(
    programme: Programme, given: _Lots, lots: Sequence[LotState], data: print_data.Written, encoding: str
) -> dict[str, Any]:
    """包みの中と外に添える目録。個人の情報はない。"""
    by_digest = {lot.sha256: lot for lot in lots}
    return {
        "事業": programme.id,
        "通数": sum(lot.letter_count for lot in lots),
        "枚数": given.sheets or given.pages,
        "検査の合計": given.check_sum,
        "版ごとの枚数": dict(sorted(given.layouts.items())),
        "データ": print_data.FILE_NAME,
        "データの行": data.rows,
        "データに載せない通": data.held_rows,
        "符号": encoding,
        "列": list(print_data.COLUMNS[print_data.PRINTER].values()),
        "組": [
            {
                "ファイル": name,
                "ロット": by_digest[digest].id,
                "種類": LETTER_KINDS[by_digest[digest].kind].name,
                "通数": by_digest[digest].letter_count,
                "sha256": digest,
            }
            for name, digest in sorted(given.digests.items())
        ],
        "データの指紋": sha256_of(data.data),
    }


def _content(lots: Sequence[LotState]) -> str:
    """管理簿の「内容」: 種類ごとの通数。"""
    counts: Counter[str] = Counter()
    for lot in lots:
        counts[LETTER_KINDS[lot.kind].name] += lot.letter_count
    return "、".join(f"{name} {count:,} 通" for name, count in sorted(counts.items()))


def _inside_digest(inside: Mapping[str, Path | bytes], known: Mapping[str, str]) -> str:
    """中身の指紋: 名とファイルの指紋から（ZIP の塩によらない）。`known` は、もう確かめた組の指紋。"""
    told = {name: sha256_of(data) for name, data in inside.items() if isinstance(data, bytes)} | dict(known)
    lines = "".join(f"{name} {told[name]}\n" for name in sorted(inside))
    return hashlib.sha256(lines.encode()).hexdigest()


def _write_zip(path: Path, inside: Mapping[str, Path | bytes], passphrase: str) -> str:
    """AES-256 の ZIP を、丸ごとか無しで書き、指紋を返す。PDF はもう縮んでいるので縮めない。"""
    with atomic_path(path) as beside:
        with pyzipper.AESZipFile(beside, "w", encryption=pyzipper.WZ_AES) as packed:
            packed.setpassword(passphrase.encode())
            packed.setencryption(pyzipper.WZ_AES, nbits=256)
            for name in sorted(inside):
                member = pyzipper.zipfile_aes.AESZipInfo(name, date_time=_DATE)
                member.compress_type = pyzipper.ZIP_STORED if name.endswith(".pdf") else pyzipper.ZIP_DEFLATED
                member.external_attr = 0o600 << 16
                data = inside[name]
                # 組の PDF は、一度に全部を覚えない。
                with packed.open(member, "w") as out:
                    if isinstance(data, bytes):
                        out.write(data)
                    else:
                        with data.open("rb") as source:
                            shutil.copyfileobj(source, out)
        beside.chmod(0o600)
        return files.digest_of_file(beside)


def _clean(folder: Path) -> None:
    """登録の前に止まった書きかけ（manifest も台帳の行もない）を消す。"""
    if (folder / MANIFEST).exists():
        raise RefusedByRule("出し箱に、台帳にない包みがあります", code="folder-taken", found=folder.name)
    for path in folder.glob("*") if folder.is_dir() else ():
        path.unlink()


def open_package(path: Path, passphrase: str) -> dict[str, bytes]:
    """包みを開ける（渡す前の確かめと、試験のため）。合言葉が違えば WrongUse。"""
    try:
        with pyzipper.AESZipFile(path) as packed:
            packed.setpassword(passphrase.encode())
            return {name: packed.read(name) for name in packed.namelist()}
    except RuntimeError:
        raise WrongUse("合言葉が違います", code="passphrase") from None
