"""変異の検査: `make mutants`。規則に誤りを一つずつ入れ、試験が見つけるかを数え、見逃した誤りを並べる。

見つけるのは、二つの判定の突き合わせ（`cases`）、見本の区の答え、規則の試験の順。変異ごとに一つの子（fork）で、規則だけを
読み直す。親は Polars を動かさない（動かした後に分かれた子は、止まることがある）。

    python -m tests.mutation                 全部
    python -m tests.mutation tax_class       一つの規則だけ
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import traceback
from collections import Counter
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import hypothesis  # noqa: F401
import polars  # noqa: F401  # 子が読み込み直さずに済むように
import pytest
import sqlalchemy  # noqa: F401

from tests.mutation.mutate import Mutant, mutants, mutated

ROOT = Path(__file__).parents[2]
RULES = ROOT / "benefit" / "rules"
NAMES = (
    "tax_class",
    "prior_receipt",
    "household_benefits",
    "child_supplement",
    "income_tax",
    "adjustment",
    "shortfall",
    "verdicts",
    "route",
    "name_agreement",
    "outcomes",
    "counts",
)
#: 突き合わせで見つからなかった変異に走らせる試験。書いていない規則は、同じ名の試験。
TESTS = {
    "tax_class": ("rules/test_tax_class", "rules/test_household_benefits"),
    "household_benefits": ("rules/test_household_benefits", "rules/test_prior_receipt", "rules/test_tax_class"),
    "income_tax": ("rules/test_adjustment", "rules/test_plain"),
    "verdicts": ("rules/test_household_benefits", "rules/test_shortfall"),
    "name_agreement": ("second/test_holder_name", "rules/test_route"),
    "outcomes": ("rules/test_outcomes", "rules/test_route"),
}
SURVIVED, BROKEN, SECOND, GOLDEN, UNIT, LATE = 0, 1, 2, 3, 4, 5
KILLERS = {BROKEN: "動かない", SECOND: "二つの判定", GOLDEN: "見本の区", UNIT: "規則の試験", LATE: "終わらない"}
WORKERS = min(os.cpu_count() or 1, 4)
LIMIT_SECONDS = 180
GOAL = 0.95


class _Planted:
    """一つの規則を、変異した文面から読み込む。"""

    def __init__(self, name: str, code: object) -> None:
        self.name, self.code = f"benefit.rules.{name}", code

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """その規則のときだけ答える。"""
        del path, target
        from importlib.util import spec_from_file_location

        if name != self.name:
            return None
        return spec_from_file_location(name, RULES / f"{name.rsplit('.', 1)[1]}.py", loader=self)  # type: ignore[arg-type]

    def create_module(self, spec: object) -> None:
        """ふつうに作る。"""
        del spec

    def exec_module(self, module: object) -> None:
        """変異した文面を走らせる。"""
        exec(self.code, vars(module))  # type: ignore[arg-type]


def _child(mutant: Mutant | None, cases: Path) -> int:
    """変異を入れて、見つかるかを見る。見つけたものの番号。"""
    name = ""
    if mutant is not None:
        name = mutant.file.removesuffix(".py")
        path = RULES / mutant.file
        sys.meta_path.insert(0, _Planted(name, compile(mutated(path, mutant.number), str(path), "exec")))  # type: ignore[arg-type]
    from tests.mutation.cases import differs, golden_differs

    for folder in sorted(cases.iterdir()):
        if (differs if folder.name != "golden" else golden_differs)(folder):
            return GOLDEN if folder.name == "golden" else SECOND
    # 子の pytest は、親の引数や設定を見ない。
    every = {file for files in TESTS.values() for file in files} | {
        f"rules/test_{name}" for name in (*NAMES, "policies")
    }
    files = every if mutant is None else (*TESTS.get(name, (f"rules/test_{name}",)), "rules/test_policies")
    paths = [str(path) for path in (ROOT / "tests" / f"{file}.py" for file in sorted(files)) if path.exists()]
    status = pytest.main(["-x", "-q", "-p", "no:xdist", "-p", "no:hypothesispytest", "--assert=plain", *paths])
    return SURVIVED if status == pytest.ExitCode.OK else UNIT


def _start(mutant: Mutant | None, cases: Path) -> int:
    """子を一つ始め、その番号を返す。変異のない子は、何も見つけないはずである。"""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = BROKEN
    try:
        if mutant is not None:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
        status = _child(mutant, cases)
    except BaseException:  # noqa: BLE001  # 動かない変異は、見つかった変異である（Polars の PanicException も）
        if mutant is None:
            traceback.print_exc()
        status = BROKEN
    finally:
        os._exit(status)


def run(todo: list[Mutant], cases: Path) -> dict[Mutant, int]:
    """全部の変異を、いくつかずつ並べて試す。"""
    waiting, running, found = list(reversed(todo)), dict[int, tuple[Mutant, float]](), dict[Mutant, int]()
    told = time.monotonic()
    while waiting or running:
        while waiting and len(running) < WORKERS:
            mutant = waiting.pop()
            running[_start(mutant, cases)] = mutant, time.monotonic()
        child, status = os.waitpid(-1, os.WNOHANG)
        if child in running:
            mutant, _ = running.pop(child)
            found[mutant] = os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else LATE
        else:
            time.sleep(0.005)
            for number, (_, began) in running.items():
                if time.monotonic() - began > LIMIT_SECONDS:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(number, signal.SIGKILL)
        if time.monotonic() - told > 20:
            told = time.monotonic()
            survived = sum(status == SURVIVED for status in found.values())
            print(f"… {len(found):,} / {len(todo):,}（見逃し {survived}）", file=sys.stderr, flush=True)
    return found


def main(names: list[str]) -> int:
    """走らせ、数と見逃しを言う。見つけた割合が足りないか、説明のない比較の見逃しがあれば 1。"""
    began = time.monotonic()
    todo = [mutant for name in names or NAMES for mutant in mutants(RULES / f"{name}.py")]
    known = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as place:
        cases = Path(place) / "cases"
        # 親とは別の過程で作る。
        subprocess.run([sys.executable, "-m", "tests.mutation.cases", str(cases)], check=True, cwd=ROOT)
        _, status = os.waitpid(_start(None, cases), 0)
        if status:
            print("変異を入れない規則が、もう試験に落ちています。先にそれを直してください。")
            return 1
        found = run(todo, cases)
    for name in names or NAMES:
        of = [status for mutant, status in found.items() if mutant.file == f"{name}.py"]
        print(f"{name:20} 変異 {len(of):4}  見つけた {sum(s != SURVIVED for s in of):4}")
    by = Counter(KILLERS[status] for status in found.values() if status != SURVIVED)
    print("見つけたもの:", "、".join(f"{name} {count:,}" for name, count in by.most_common()))
    survivors = sorted((m for m, s in found.items() if s == SURVIVED), key=lambda m: (m.file, m.line, m.number))
    unexplained = []
    for mutant in survivors:
        line = (RULES / mutant.file).read_text(encoding="utf-8").splitlines()[mutant.line - 1].strip()
        why = known.get(mutant.file, {}).get(mutant.change, "")
        print(f"見逃し {mutant.place} [{mutant.kind}] {mutant.change}\n    {line}\n    {why or '説明なし'}")
        if not why:
            unexplained.append(mutant)
    rate = 1 - len(survivors) / len(found)
    compared = [mutant for mutant in unexplained if mutant.kind == "比較"]
    print(
        f"変異 {len(found):,}、見つけた {len(found) - len(survivors):,}（{rate:.1%}）、見逃し {len(survivors)}"
        f"（うち同じ意味と説明したもの {len(survivors) - len(unexplained)}、比較の説明なし {len(compared)}）、"
        f"{time.monotonic() - began:.0f} 秒"
    )
    return 1 if rate < GOAL or compared else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
