"""手紙の言葉の棚: 一覧、写しを作る、置いてある写しを確かめる。"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.domain.letter import LETTER_KINDS
from benefit.services.files import write_atomic
from letters.words import COMMON, EXAMPLE, REPAYMENT, RETURN_MOUNT, known_words, load_words, shipped_text

_OTHERS = {
    COMMON: "どの手紙にも刷る言葉",
    RETURN_MOUNT: "書類の台紙",
    EXAMPLE: "確認書の記入例",
    REPAYMENT: "L12 返還請求書・L13 納付書",
}


@dataclass(frozen=True)
class Shelved:
    """一つの言葉のファイル。own: 区の写しがあるか。"""

    name: str
    title: str
    own: bool


def shelf(folder: Path) -> tuple[Shelved, ...]:
    """言葉の全部。`folder` は区の写しの置き場所（home/words）。"""
    return tuple(Shelved(name, _title(name), (folder / f"{name}.toml").is_file()) for name in known_words())


def _title(name: str) -> str:
    if name in LETTER_KINDS:
        return f"{LETTER_KINDS[name].number} {LETTER_KINDS[name].name}"
    # 手紙でない紙（ほかの課の通知など）の名は、言葉のファイルの一行目に書いてある。
    return _OTHERS.get(name) or shipped_text(name).split("\n", 1)[0].removeprefix("#").strip()


def text_of(name: str, folder: Path) -> str:
    """いま使う文面（区の写しがあれば写し）。"""
    shipped = shipped_text(name)
    own = folder / f"{name}.toml"
    return own.read_text(encoding="utf-8") if own.is_file() else shipped


def copy(name: str, folder: Path) -> Path:
    """同梱の言葉を `folder` に写す。写しがもうあれば断る（直した文を消さない）。"""
    target = folder / f"{name}.toml"
    text = shipped_text(name)
    if target.exists():
        raise RefusedByRule("区の写しがもうあります。消してから写してください", code="words-taken", found=str(target))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomic(target, text.encode())
    return target


def check(folder: Path) -> tuple[tuple[str, ...], tuple[BenefitError, ...]]:
    """`folder` の写しを全部確かめる。（使えるファイルの名、断り）。名の違うファイルも断る。"""
    good: list[str] = []
    bad: list[BenefitError] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            shipped_text(file.stem)
            # 共通の言葉は、どの手紙と合わせても同じように確かめられる。
            load_words(next(iter(LETTER_KINDS)) if file.stem == COMMON else file.stem, folder)
            good.append(file.name)
        except BenefitError as refused:
            bad.append(refused)
    return tuple(good), tuple(dict.fromkeys(bad))
