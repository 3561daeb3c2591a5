"""受信フォルダ（LGWAN などで届く所）: 様式の名の下位フォルダに置かれたファイルを、一度ずつ受け取る。

受け取って登録できたら、写しを作業場所（区の中）に残し、受領票を置き、端末のフォルダからは消す（seed 001: 登録後、
端末のデータを消去する）。断ったファイルはそのまま残し、断りのわけを横に置く。どこで止まっても、もう一度打てば続きから
できる: 登録は指紋で一度だけ、写しと受領票は同じ名の上書き、消すのは最後で、登録したバイト列と同じ中身の時だけである。
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benefit.domain.clock import TOKYO, Clock
from benefit.domain.errors import BenefitError, WrongUse
from benefit.services import collection_files
from benefit.services.collections import Collected
from benefit.services.files import read_input, sha256_of, write_atomic
from benefit.services.home import Home

#: 受領票を置く下位フォルダ。
RECEIPTS = "受領票"


def sweep(home: Home, folder: Path, *, clock: Clock) -> Iterator[str]:
    """フォルダの中を名前の順に受け取り、一つごとに一行の報告を返す。"""
    if not folder.is_dir():
        raise WrongUse("受信フォルダがありません", found=str(folder))
    layouts = collection_files.LAYOUTS
    found = sorted(
        path
        for layout in layouts
        for path in (folder / layout).glob("*")
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    )
    if not found:
        yield f"届いたファイルはありません（{folder} の下の {'、'.join(layouts)} を見ました）"
    for path in found:
        yield _one(home, folder, path, clock)


def _one(home: Home, folder: Path, path: Path, clock: Clock) -> str:
    layout = path.parent.name
    # 一度だけ読む。確かめたものと、登録したものと、写しが、いつも同じバイト列になる。
    data = read_input(path)
    try:
        done = collection_files.receive_bytes(home, layout, data, file_name=path.name, clock=clock).collected
    except BenefitError as refused:
        _receipt(folder, layout, path.name, f"断りました: {refused.says.splitlines()[0]}", data, clock)
        return f"断りました {layout}/{path.name}: {refused}（ファイルは残してあります）"
    kept = home.path / "received" / layout / f"{sha256_of(data)[:32]}.dat"
    if not kept.exists():
        write_atomic(kept, data)
    _receipt(folder, layout, path.name, _counted(done), data, clock)
    # 受け取る間に差し替えられたものは、まだ受け取っていない。消さずに、次に受け取る。
    if read_input(path) != data:
        return f"受け取りました {layout}/{path.name}: {_said(done)}。受け取る間に別の中身が置かれたので、消していません"
    path.unlink()
    return f"受け取りました {layout}/{path.name}: {_said(done)}。端末のファイルを消しました"


def _said(done: Collected) -> str:
    said = "もう取り込んであります" if done.repeated else f"消込 {done.rows_posted:,} + 保留 {done.rows_held:,}"
    return f"読込 {done.rows_read:,}、{said}"


def _counted(done: Collected) -> str:
    return (
        f"受け取りました（受付番号 {done.file_id}）\n"
        f"読込 {done.rows_read:,} = 消込 {done.rows_posted:,} + 保留 {done.rows_held:,}"
        f" + 受け付けない {done.rows_rejected:,}\n確報 {done.final_yen:,} 円"
    )


def _receipt(folder: Path, layout: str, name: str, says: str, data: bytes, clock: Clock) -> None:
    """受領票: 何を、いつ、どう受け取ったか。個人の情報は書かない。"""
    text = (
        f"受領票\n様式 {layout}\nファイル {name}（{len(data):,} バイト）\n指紋 SHA-256 {sha256_of(data)}\n"
        f"日時 {clock().astimezone(TOKYO):%Y-%m-%d %H:%M:%S}\n{says}\n"
    )
    write_atomic(folder / RECEIPTS / layout / f"{name}-{sha256_of(data)[:16]}.txt", text.encode())
