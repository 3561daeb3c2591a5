"""make bench: 速さを、同じ回で測った限界や相手との比で示す。`make bench ONLY=名前` で一つだけ。
377 万人と多くの区は、名前を言うか BIG=1 のときに測る。

一回温めてから、相手と交互に三回以上測り、中央値を取る。表を印字し、bench.json に書く（契約 §5）。
比は二通り: 「全体」はプロセスの起動から終わりまで、「仕事」は起動と部品の読み込みを除いた秒。
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.extracts import write_big

ROOT = Path(__file__).parents[2]
RUNS = 3
CACHE = Path(tempfile.gettempdir()) / "benefit-bench"


@dataclass
class Figure:
    name: str
    value: float
    unit: str
    against: str
    ratio: float
    goal: str
    rows: int
    peak_mib: int


def run(*arguments: str) -> dict[str, float]:
    """子の一回。全体の秒（whole）を足して返す。"""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.child", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    whole = time.perf_counter() - started
    return {**json.loads(done.stdout.splitlines()[-1]), "whole": whole}


def compare(
    name: str,
    job: str,
    folder: Path,
    goal: float,
    *,
    url: Callable[[], str] = lambda: "",
    runs: int = RUNS,
    source: Path | None = None,
    judged: str = "whole",
) -> list[Figure]:
    """仕事と、素の読み取りを交互に。`source` は仕事が読むもの（なければ同じ抽出データ）、`judged` は目標で見る比。"""
    ours, peers = [], []
    for turn in range(runs + 1):
        peer, own = run("parse", str(folder)), run(job, str(source or folder), url())
        if turn:
            peers.append(peer)
            ours.append(own)
    figures = []
    for key, label in (("whole", "全体"), ("seconds", "仕事")):
        value = statistics.median(one[key] for one in ours)
        ratio = statistics.median(own[key] / peer[key] for own, peer in zip(ours, peers, strict=True))
        figures.append(
            Figure(
                f"{name}（{label}）",
                round(value, 3),
                "秒",
                "同じファイルを Polars で読むだけ",
                round(ratio, 2),
                f"≤ {goal:g}" if key == judged else "（参考）",
                int(ours[0]["rows"]),
                int(max(one["peak_mib"] for one in ours)),
            )
        )
    return figures


def extracts_of(residents: int) -> Path:
    """抽出データ。作り方（コード）が変わったら、作り直す。"""
    sources = [*sorted((ROOT / "batch" / "world").glob("*.py")), ROOT / "tests" / "bench" / "extracts.py"]
    version = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    folder = CACHE / f"ward-{residents}-{version}"
    if not (folder / "complete").exists():
        sys.stderr.write(f"{residents:,} 人の抽出データを作っています…\n")
        write_big(folder, residents)
        (folder / "complete").touch()
    return folder


@contextmanager
def fresh_databases() -> Iterator[Callable[[], str]]:
    """呼ぶたびに、空のデータベースの URL（試験と同じ立て方の PostgreSQL、ただし書込みの保証は切らない）。"""
    import sqlalchemy as sa

    from tests.support.pgserver import postgres

    with postgres() as server:
        admin = sa.create_engine(server.url, isolation_level="AUTOCOMMIT")
        names = iter(range(1000))

        def new() -> str:
            name = f"bench{next(names)}"
            with admin.connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
            return sa.make_url(server.url).set(database=name).render_as_string(hide_password=False)

        yield new
        admin.dispose()


def build_csv() -> list[Figure]:
    return compare("取込と判定 35 万人 → outcomes.csv", "outcomes", extracts_of(350_000), 8)


def build_sqlite() -> list[Figure]:
    return compare("同、支給権利を SQLite へ", "sqlite", extracts_of(350_000), 20)


def build_postgresql() -> list[Figure]:
    with fresh_databases() as new:
        return compare("同、支給権利を PostgreSQL へ", "postgresql", extracts_of(350_000), 20, url=new)


def build_large() -> list[Figure]:
    return compare("取込と判定 377 万人 → SQLite", "sqlite", extracts_of(LARGE), 20, runs=1)


def prepared_home(residents: int) -> Path:
    """取込の済んだ作業場所。判定だけを測るのに使う。台帳の表が変わったら作り直す。"""
    folder = extracts_of(residents)
    tables = b"".join(path.read_bytes() for path in sorted((ROOT / "migrations" / "ward").glob("*.py")))
    home = folder / f"home-{hashlib.sha256(tables).hexdigest()[:12]}"
    if not (home / "complete").exists():
        sys.stderr.write(f"{residents:,} 人を取り込んでいます…\n")
        shutil.rmtree(home, ignore_errors=True)
        run("prepare", str(folder), str(home))
        (home / "complete").touch()
    return home


def judging(residents: int) -> list[Figure]:
    """写し → outcomes.csv。素の読み取りに部品の読み込みを含めないので、こちらも仕事の秒で見る。"""
    name = f"judging-{residents // 1000}k"
    return compare(
        name, "judge", extracts_of(residents), 4, source=prepared_home(residents), judged="seconds"
    ) + compare(
        f"build-dry-run-{residents // 1000}k", "build", extracts_of(residents), 8, source=prepared_home(residents),
        judged="seconds",
    )  # fmt: skip


def importing(residents: int) -> list[Figure]:
    """抽出データ → 検査の済んだ写しと登録。"""
    return compare(f"import-{residents // 1000}k", "import", extracts_of(residents), 5, judged="seconds")


def certificates(residents: int) -> list[Figure]:
    """判定証明の写しを全員分置く秒。比は、同じ回の判定の秒に対して。"""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.certificates", str(prepared_home(residents))],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    value = statistics.median(told["seconds"])
    ratio = statistics.median(own / judged for own, judged in zip(told["seconds"], told["judging"], strict=True))
    name = f"certificates-{residents // 1000}k（一対象 {told['bytes'] / told['rows']:.1f} バイト）"
    return [Figure(name, round(value, 3), "秒", "同じ回の判定", round(ratio, 2), "≤ 1", told["rows"], told["peak_mib"])]


def collection_records() -> list[Figure]:
    """収納データ百万件を、全部のバイトを見て読む・書く秒。比は、同じバイト列をただ切る秒に対して。"""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.collection_records"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    told = json.loads(done.stdout.splitlines()[-1])
    figures = []
    for name, key in (("読む", "read"), ("書く", "write")):
        ratio = statistics.median(own / bare for own, bare in zip(told[key], told["split"], strict=True))
        value = round(statistics.median(told[key]), 3)
        peak = told["peak_mib" if key == "read" else "held_mib"]
        against = "同じバイト列を改行で切るだけ"
        figures.append(
            Figure(f"collection-records（{name}）", value, "秒", against, round(ratio, 2), "≤ 20", told["rows"], peak)
        )
    return figures


def collection_million() -> list[Figure]:
    """収納データ百万件を、調定百万件と消し込む秒（SQLite、書込みの保証は切らない）。比は、読むだけと、結ぶだけの秒に対して。"""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.collection_million"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    value = round(statistics.median(told["receive"]), 1)
    figures = []
    for key, against, goal in (
        ("parse", "同じファイルを読むだけ", "≤ 40"),
        ("join", "同じ行を鍵と調定に結ぶだけの SQL", "≤ 50"),
    ):
        ratio = statistics.median(own / bare for own, bare in zip(told["receive"], told[key], strict=True))
        name = f"collection-million（{1e6 * value / told['rows']:.0f} マイクロ秒/件）"
        figures.append(Figure(name, value, "秒", against, round(ratio, 1), goal, told["rows"], told["peak_mib"]))
    return figures


def collection_year(where: str, url: str = "") -> list[Figure]:
    """種文書 004 の一年の件数を、全部の経路の取込に一気に。比は、毎秒 1,000 件（一年が 15 分で済む速さ）に対して。"""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.collection_year", "1", url],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    value = sum(told["seconds"].values())
    name = (
        f"collection-year-{where}（{told['files']} 枚、消込 {told['final_yen']['合計（消込）']:,} 円"
        f" + 保留 {told['final_yen']['合計（保留）']:,} 円）"
    )
    ratio = value / (told["records"] / 1000)
    return [
        Figure(name, round(value, 1), "秒", "毎秒 1,000 件", round(ratio, 2), "≤ 1", told["records"], told["peak_mib"])
    ]


def collection_year_postgresql() -> list[Figure]:
    with fresh_databases() as new:
        return collection_year("postgresql", new())


#: 支給判定を測る大きさ: 判定する行と、台帳にある過去の支払。
PLANNED, PAST = 50_000, 1_000_000


def payment_judging(url: str, name: str) -> list[Figure]:
    """支給判定（台帳の事実、検査、登録、消えた行）の秒。比は、同じ表を結ぶだけの SQL の秒に対して。"""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.judging", url, str(PLANNED), str(PAST)],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    value = statistics.median(told["seconds"])
    ratio = statistics.median(own / bare for own, bare in zip(told["seconds"], told["join"], strict=True))
    name = f"{name}（{PLANNED:,} 行、過去の支払 {PAST:,} 件）"
    return [Figure(name, round(value, 3), "秒", "同じ表の素の結合", round(ratio, 2), "≤ 5", PLANNED, told["peak_mib"])]


def payment_judging_sqlite() -> list[Figure]:
    """台帳は一度作って置いておく。表が変わったら作り直す。"""
    tables = b"".join(path.read_bytes() for path in sorted((ROOT / "migrations" / "ward").glob("*.py")))
    source = (ROOT / "tests" / "bench" / "judging.py").read_bytes()
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"payments-{PAST}-{hashlib.sha256(tables + source).hexdigest()[:12]}.db"
    return payment_judging(f"sqlite:///{path}", "payment-judging-sqlite")


def payment_judging_postgresql() -> list[Figure]:
    with fresh_databases() as new:
        return payment_judging(new(), "payment-judging-postgresql")


#: 多くの区を測るときの、区の数と一つの区の人数。働き手が立つまでの数秒が、比を決めない大きさにする。
WARDS, WARD_RESIDENTS = 16, 100_000


def municipalities() -> list[Figure]:
    """同じ区々を、働き手一人と二人に。比は、二人の秒 ÷ 一人の秒。結果は一字も違わないことも見る。"""
    spent: dict[int, list[float]] = {1: [], 2: []}
    rows, peak = 0, 0
    with tempfile.TemporaryDirectory() as place:
        wards = Path(place) / "wards"
        for number in range(WARDS):
            (wards / f"ward-{number}").mkdir(parents=True)
            for file in extracts_of(WARD_RESIDENTS).glob("*.csv"):
                (wards / f"ward-{number}" / file.name).symlink_to(file)
        seen = set()
        for turn in range(RUNS + 1):
            for workers, seconds in spent.items():
                out = Path(place) / "out"
                shutil.rmtree(out, ignore_errors=True)
                started = time.perf_counter()
                words = ["beneficiaries", "build", "--today", "2024-06-20", "--workers", str(workers), "--dry-run"]
                subprocess.run(
                    [sys.executable, "-m", "batch.cli", *words, "--municipalities", str(wards), "--out", str(out)],
                    cwd=ROOT, env=os.environ | {"POLARS_MAX_THREADS": "1"}, check=True, capture_output=True,
                )  # fmt: skip
                if turn:
                    seconds.append(time.perf_counter() - started)
                summary = (out / "municipalities.json").read_text()
                seen.add(hashlib.sha256(summary.encode()).hexdigest())
                rows = sum(one["行数"] for one in json.loads(summary)["区"].values())
                peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        assert len(seen) == 1, "働き手の数で、結果が変わった"
    ratio = statistics.median(two / one for one, two in zip(spent[1], spent[2], strict=True))
    value = statistics.median(spent[2])
    name = f"municipalities-1-2（{WARDS} 区、働き手 2）"
    return [Figure(name, round(value, 3), "秒", "同じ区々を働き手 1 で", round(ratio, 2), "≤ 0.70", rows, peak)]


def zengin_records() -> list[Figure]:
    """全銀 100 万件を作ってディスクに書き、二人目の読み手で読み直す秒。比は、同じバイト列を写す秒（どれも fsync まで）。"""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.zengin"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    told = json.loads(done.stdout.splitlines()[-1])
    told["both"] = [one + other for one, other in zip(told["writing"], told["reading"], strict=True)]
    figures = []
    for key, label in (("writing", "書く"), ("reading", "読み直す"), ("both", "書いて読み直す")):
        ratio = statistics.median(own / bare for own, bare in zip(told[key], told["copying"], strict=True))
        value = round(statistics.median(told[key]), 3)
        against = f"同じ {told['bytes'] / 1e6:.0f} MB を写す"
        goal = "（比のみ）"
        figures.append(
            Figure(
                f"zengin-1000k（{label}）", value, "秒", against, round(ratio, 1), goal, told["rows"], told["peak_mib"]
            )
        )
    return figures


def desk_calls(what: str) -> dict[str, Any]:
    """給付管理システムを PostgreSQL で動かし、電話の照会を測る。"""
    with fresh_databases() as new:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.desk_calls", new(), what],
            cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def desk_look_up() -> list[Figure]:
    """番号の検索一回の秒。比は、同じサーバーの動かない答えと、同じ台帳への素の SELECT + INSERT に対して。"""
    told = desk_calls("look-up")
    value = statistics.median(told["look_up"]) * 1000
    name = f"desk-look-up（p50 {told['p50'] * 1000:.1f} ms、p99 {told['p99'] * 1000:.1f} ms）"
    figures = []
    for key, against in (("still", "同じサーバーの動かない答え"), ("bare", "素の SELECT + INSERT")):
        ratio = statistics.median(own / peer for own, peer in zip(told["look_up"], told[key], strict=True))
        figures.append(Figure(name, round(value, 2), "ms", against, round(ratio, 1), "（比のみ）", told["rows"], 0))
    return figures


def desk_during_load() -> list[Figure]:
    """T29: 38,000 件の受渡を受け入れ続ける間の、30 人の電話。比は、目標の 300 ミリ秒に対して。"""
    told = desk_calls("calls")
    value = told["p95"] * 1000
    load = statistics.median(told["loads"])
    name = (
        f"desk-30-calls-during-load（p50 {told['p50'] * 1000:.0f} ms、p99 {told['p99'] * 1000:.0f} ms、"
        f"誤り {told['failed']}、受入 {load:.1f} 秒 × {len(told['loads'])}）"
    )
    if told["failed"]:
        sys.stderr.write(f"誤り: {told['errors']}\n")
    return [Figure(name, round(value, 1), "ms", "目標 300 ms", round(value / 300, 2), "≤ 1", told["answers"], 0)]


#: 手紙の一回に刷る通数。直に組む道と相手は遅いので、少なく。
LETTERS = {"raw": 20_000, "stamped": 20_000, "direct": 500, "weasyprint": 50, "proof": 4_000}
LETTERS_ALL = 50_000


def letters_run(way: str, count: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.letters", way, str(count)],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def letters() -> list[Figure]:
    """確認書を一秒に何通刷れるか。刷る道・直の道は CPU 秒で、校正（二つのコア）は時計の秒で数える。"""
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in LETTERS}
    for _ in range(RUNS):
        for way, count in LETTERS.items():
            runs[way].append(letters_run(way, count))

    def rate(way: str, second: str = "cpu") -> float:
        return statistics.median(one["letters"] / one[second] for one in runs[way])

    def figure(name: str, way: str, value: float, against: str, ratio: float, goal: str) -> Figure:
        peak = int(max(one["peak_mib"] for one in runs[way]))
        return Figure(name, round(value, 1), "通/秒", against, round(ratio, 2), goal, LETTERS[way], peak)

    def size(way: str) -> str:
        return f"{runs[way][0]['bytes'] / runs[way][0]['letters']:,.0f} バイト/通"

    raw, stamped, direct, weasy = (rate(way) for way in ("raw", "stamped", "direct", "weasyprint"))
    clock, proof = rate("stamped", "wall"), rate("proof", "wall")
    both = 1 / (1 / clock + 1 / proof)
    every = letters_run("stamped", LETTERS_ALL)
    whole = Figure(
        f"letters-50000（{every['wall']:.1f} 秒、一つの過程）", round(every["letters"] / every["cpu"], 1), "通/秒",
        "1 GiB", round(every["peak_mib"] / 1024, 2), "< 1", LETTERS_ALL, int(every["peak_mib"]),
    )  # fmt: skip
    twin = "同じ頁の WeasyPrint"
    return [
        figure(f"letters-weasyprint（CPU 秒、{size('weasyprint')}）", "weasyprint", weasy, "（相手）", 1, "（比のみ）"),
        figure(f"letters-raw（CPU 秒、{size('raw')}）", "raw", raw, "（限界）", 1, "（比のみ）"),
        figure(f"letters-stamped（CPU 秒、{size('stamped')}）", "stamped", stamped, twin, stamped / weasy, "≥ 3000"),
        figure("letters-stamped（限界との比）", "stamped", stamped, "素の書き出し", stamped / raw, "（比のみ）"),
        figure(f"letters-direct（CPU 秒、{size('direct')}）", "direct", direct, twin, direct / weasy, "≥ 350"),
        figure("letters-proof（二つのコアの秒）", "proof", proof, "目標 400 頁/秒", proof / 400, "≥ 400"),
        figure("letters-stamped + 校正（秒）", "proof", both, "刷るだけ", both / clock, "（比のみ）"),
        whole,
    ]


LARGE = 3_770_000
FIGURES: dict[str, Callable[[], list[Figure]]] = {
    "build-csv": build_csv,
    "build-sqlite": build_sqlite,
    "build-postgresql": build_postgresql,
    "judging-350k": lambda: judging(350_000),
    "import-350k": lambda: importing(350_000),
    "certificates-350k": lambda: certificates(350_000),
    "payment-judging-sqlite": payment_judging_sqlite,
    "payment-judging-postgresql": payment_judging_postgresql,
    "collection-records": collection_records,
    "collection-million": collection_million,
    "collection-year": lambda: collection_year("sqlite"),
    "zengin-1000k": zengin_records,
    "desk-look-up": desk_look_up,
    "desk-30-calls": desk_during_load,
    "letters": letters,
}
#: 時間のかかるもの。名前を言ったときか、BIG=1 のときだけ測る。
LONG: dict[str, Callable[[], list[Figure]]] = {
    "judging-3770k": lambda: judging(LARGE),
    "import-3770k": lambda: importing(LARGE),
    "municipalities-1-2": municipalities,
    "collection-year-postgresql": collection_year_postgresql,
    "build-3770000": build_large,
}


def main(only: str = "") -> int:
    everything = {**FIGURES, **LONG}
    chosen = {only: everything[only]} if only else everything if os.environ.get("BIG") else FIGURES
    figures: list[Figure] = []
    for name, measure in chosen.items():
        sys.stderr.write(f"測っています: {name}\n")
        figures += measure()
    width = max(len(figure.name) for figure in figures) + 2
    sys.stdout.write(f"{'名前':{width}}{'値':>10}  {'比':>8}  {'目標':<8}{'行':>12}{'最大 MiB':>10}\n")
    for f in figures:
        sys.stdout.write(
            f"{f.name:{width}}{f.value:>10.3f}{f.unit} {f.ratio:>8.2f}  {f.goal:<8}{f.rows:>12,}{f.peak_mib:>10,}\n"
        )
    (ROOT / "bench.json").write_text(json.dumps([asdict(f) for f in figures], ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
