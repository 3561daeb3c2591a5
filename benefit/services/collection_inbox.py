"""受信フォルダ（LGWAN などで届く所）: 様式の名の下位フォルダに置かれたファイルを、一度ずつ受け取る。

受け取って登録できたら、写しを作業場所（区の中）に残し、端末のフォルダからは消す（seed 001: 登録後、端末の
データを消去する）。断ったファイルは、そのまま残す。二度目に同じものが届いても、消すだけで数えない。
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benefit.domain.clock import Clock
from benefit.domain.errors import BenefitError, WrongUse
from benefit.services import collection_files
from benefit.services.files import read_input, sha256_of, write_atomic
from benefit.services.home import Home


def sweep(home: Home, folder: Path, *, clock: Clock) -> Iterator[str]:
    """フォルダの中を名前の順に受け取り、一つごとに一行の報告を返す。"""
    if not folder.is_dir():
        raise WrongUse("受信フォルダがありません", found=str(folder))
    layouts = collection_files.LAYOUTS
    found = sorted(
        path for layout in layouts for path in (folder / layout).glob("*") if path.is_file() and not path.is_symlink()
    )
    if not found:
        yield f"届いたファイルはありません（{folder} の下の {'、'.join(layouts)} を見ました）"
    for path in found:
        layout = path.parent.name
        data = read_input(path)
        try:
            done = collection_files.receive(home, layout, path, clock=clock).collected
        except BenefitError as refused:
            yield f"断りました {layout}/{path.name}: {refused}（ファイルは残してあります）"
            continue
        kept = home.path / "received" / layout / f"{sha256_of(data)[:32]}.dat"
        if not kept.exists():
            write_atomic(kept, data)
        path.unlink()
        said = "もう取り込んであります" if done.repeated else f"消込 {done.rows_posted:,} + 保留 {done.rows_held:,}"
        yield f"受け取りました {layout}/{path.name}: 読込 {done.rows_read:,}、{said}。端末のファイルを消しました"
