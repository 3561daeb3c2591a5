"""電話の照会の速さを測る子: `python -m tests.bench.desk_calls URL look-up|calls`（PostgreSQL の空のデータベース）。

look-up: 番号の検索（合い札、権限、数の上限、監査の一行まで）を一本の接続で続け、同じサーバーの動かない答え（絵のない印）と、
同じ台帳への素の SELECT と INSERT（一つの確定）と、交互に測る。
calls: 30 人が同時に電話（検索 → 開く → 本人確認 → 一件）を続ける間に、38,000 件の受渡を受け入れる（T29）。
サーバーは本番と同じ起動のしかたの、別のプロセスである。終わりに一行の JSON。
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import sqlalchemy as sa

from api.session import token_hash
from benefit.domain.call import PROGRESS
from benefit.domain.clock import system_clock
from benefit.domain.entitlement import check_digit
from benefit.records import desk_progress, payees
from benefit.services import desk_load
from benefit.services.files import sha256_of, write_atomic, write_manifest
from benefit.services.home import Home
from benefit.services.setup import init_desk
from benefit.store import desk

CASES = 38_000
OPERATORS = 30
#: 一人が一時間に調べられるのは 60 件。測る間は、人を多く登録して、順に代わる。
SHIFTS = 40
LOOK_UPS = 400
SECONDS = float(os.environ.get("T29_SECONDS", "60"))
ROUNDS = 5
BIRTH = "1950-11-12"


def number_of(place: int) -> str:
    """散らばった 11 桁の番号（検査数字つき）。"""
    body = f"{(place * 911_382_323 + 4_000_000_007) % 9_999_999_967:010d}"
    return body + check_digit(body)


def folder_of(path: Path, sequence: int) -> None:
    """区の受渡一回。連番ごとに、発送日と返送期限が変わる（全部の行が変わる）。"""
    places = pl.int_range(0, CASES, dtype=pl.Int64, eager=True)
    rows = pl.DataFrame({"place": places, "case_number": [number_of(place) for place in range(CASES)]}).with_columns(
        branch=pl.lit(1),
        benefit=pl.lit("R6-4"),
        planned_amount_yen=pl.lit(40_000),
        person_number=pl.col("place"),
        household_number=pl.col("place"),
        residence_card_number=pl.lit(None, pl.String),
        postal_code=pl.lit("1690075"),
        address=pl.lit("東京都新宿区高田馬場一丁目2番3号"),
        address2=pl.lit(None, pl.String),
        name=pl.format("測定　{}", "place"),
        kana_name=pl.lit("ソクテイ　タロウ"),
        former_name=pl.lit(None, pl.String),
        birth=pl.lit(BIRTH),
        relation=pl.lit("世帯主"),
        braille=pl.lit("0"),
        account_flag=pl.lit("2"),
        past_bank_code=pl.lit("9999"),
        past_branch_code=pl.lit("001"),
        past_account_type=pl.lit("1"),
        past_account_number=pl.lit("9123456"),
        past_holder_kana=pl.lit("ｿｸﾃｲ ﾀﾛｳ"),
        sent_on=pl.lit(date(2024, 7, 5)),
        due_on=pl.lit(date(2024, 8, 1) + timedelta(days=sequence)),
        state=pl.lit("C20"),
        transferred_on=pl.lit(None, pl.Date),
    )
    data = payees.render(rows)
    write_atomic(path / payees.FILE_NAME, data)
    manifest = {"種類": "支給対象者", "事業": "r6-2024", "連番": sequence, "件数": rows.height}
    manifest |= {"給付": {"R6-4": "調整給付"}, "sha256": sha256_of(data), "作成日時": system_clock().isoformat()}
    write_manifest(path, {**manifest, "指紋": desk_progress.fingerprint(manifest)})


def people(home: Home) -> list[str]:
    """コールセンターの人々と、その合い札（入るときの合言葉の手間は、ここでは測らない）。"""
    now = datetime.now(UTC)
    tokens = [secrets.token_urlsafe(32) for _ in range(OPERATORS * SHIFTS)]
    staff = [
        {"id": f"op{place}", "name": f"測定 {place}", "role": "operator", "password_hash": "x", "created_at": now}
        | {"password_changed_at": now, "terms_accepted_at": now, "totp_enrolled_at": now, "last_login_at": now}
        for place in range(len(tokens))
    ]
    sessions = [
        {"token_hash": token_hash(token), "staff_id": f"op{place}", "csrf_hash": "x"}
        | {"started_at": now, "seen_at": now, "authenticated_at": now}
        for place, token in enumerate(tokens)
    ]
    with home.desk.begin() as connection:
        connection.execute(desk.staff.insert(), staff)
        connection.execute(desk.staff_session.insert(), sessions)
    return tokens


@contextmanager
def server(home: Home, log: Path) -> Iterator[int]:
    """`benefit serve desk` と同じ入口の、別のプロセス。"""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {"BENEFIT_HOME": str(home.path), "BENEFIT_DESK_URL": home.desk_url}
    with log.open("wb") as out:
        words = [sys.executable, "-m", "batch.cli", "serve", "desk", "--port", str(port)]
        child = subprocess.Popen(words, env=env, stdout=out, stderr=out)
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if child.poll() is not None:
                    raise RuntimeError(log.read_text())
                time.sleep(0.05)
            yield port
        finally:
            child.terminate()
            child.wait(30)


class Caller:
    """一本の接続を持つ電話の人。"""

    def __init__(self, port: int, tokens: list[str]) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.tokens, self.turn = tokens, -1
        self.headers: dict[str, str] = {}
        self.mark = ""

    def next_person(self) -> None:
        """次の人に代わる。"""
        self.turn += 1
        self.headers = {"Authorization": f"Bearer {self.tokens[self.turn % len(self.tokens)]}"}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """一つ尋ねる。200 のほかは誤り。"""
        headers = {**self.headers, "Content-Type": "application/json", "Idempotency-Key": secrets.token_urlsafe(16)}
        headers |= {"If-Match": self.mark} if self.mark else {}
        self.line.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.line.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300].decode()}")
        self.mark = answer.headers.get("ETag", self.mark)
        found: dict[str, Any] = json.loads(data)
        return found

    def begin(self) -> None:
        """電話を受ける。"""
        self.ask("POST", "/api/v1/calls", {"reference": f"B-{secrets.randbelow(10**6)}", "purpose": PROGRESS})

    def search(self, place: int) -> dict[str, Any]:
        """番号で探す。"""
        return self.ask("POST", "/api/v1/search", {"case_number": number_of(place)})

    def still(self) -> None:
        """動かない答え。"""
        self.line.request("GET", "/favicon.ico")
        answer = self.line.getresponse()
        answer.read()
        assert answer.status == 204, answer.status


def look_up(home: Home, tokens: list[str], port: int) -> dict[str, Any]:
    """検索、動かない答え、素の SELECT と INSERT を、塊ごとに交互に。"""
    caller = Caller(port, tokens)
    spent: dict[str, list[float]] = {"look_up": [], "still": [], "bare": []}
    each: list[float] = []
    raw = sa.make_url(home.desk_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(raw) as bare:
        bare.execute("CREATE TABLE bare_log (id bigserial PRIMARY KEY, at timestamptz, who text, what text)")
        bare.commit()
        for turn in range(ROUNDS + 1):
            per = LOOK_UPS // ROUNDS
            seconds = dict.fromkeys(spent, 0.0)
            for at in range(per):
                if at % 40 == 0:
                    caller.next_person()
                    caller.begin()
                place = (turn * per + at) * 7 % CASES
                started = time.perf_counter()
                assert caller.search(place)["hits"]
                middle = time.perf_counter()
                caller.still()
                after = time.perf_counter()
                bare.execute("SELECT * FROM benefit_case WHERE case_number = %s", [number_of(place)]).fetchone()
                bare.execute("INSERT INTO bare_log (at, who, what) VALUES (now(), 'x', 'case.search')")
                bare.commit()
                end = time.perf_counter()
                seconds["look_up"] += middle - started
                seconds["still"] += after - middle
                seconds["bare"] += end - after
                if turn:
                    each.append(middle - started)
            if turn:
                for name, value in seconds.items():
                    spent[name].append(value / per)
    cuts = statistics.quantiles(each, n=100)
    return {**spent, "p50": cuts[49], "p99": cuts[98], "rows": len(each)}


def calls(home: Home, tokens: list[str], port: int, folder: Path) -> dict[str, Any]:
    """30 人の電話の間に、38,000 件の受渡を、終わるたびに次の連番で受け入れ続ける。"""
    stop = threading.Event()
    times: dict[str, list[float]] = {"search": [], "open": [], "identity": [], "case": []}
    errors: list[str] = []
    loads: list[float] = []

    def clock(name: str, started: float) -> float:
        now = time.perf_counter()
        times[name].append(now - started)
        return now

    def work(place: int) -> None:
        caller = Caller(port, tokens[place * SHIFTS : (place + 1) * SHIFTS])
        # 30 人が同じ瞬間に掛け始めない。
        stop.wait(place * 0.1)
        turn = 0
        while not stop.is_set():
            try:
                if turn % 10 == 0:
                    caller.next_person()
                caller.begin()
                case = (place * 1_009 + turn * 31) % CASES
                at = time.perf_counter()
                (hit,) = caller.search(case)["hits"]
                at = clock("search", at)
                caller.ask("POST", "/api/v1/case", {"hit": hit["hit"]})
                at = clock("open", at)
                heard = {"caller": "self", "ticked": ["name"], "birth": BIRTH, "address": "高田馬場1-2-3"}
                assert caller.ask("POST", "/api/v1/case/identity", heard)["complete"]
                at = clock("identity", at)
                assert caller.ask("GET", "/api/v1/case")["says"]
                clock("case", at)
            except (RuntimeError, OSError, http.client.HTTPException, ValueError, AssertionError) as error:
                errors.append(repr(error)[:300])
                caller.line.close()
            turn += 1
            # 一人 12 件/時の 100 倍の速さ: 三秒に一件。
            stop.wait(3)

    workers = [threading.Thread(target=work, args=(place,)) for place in range(OPERATORS)]
    for worker in workers:
        worker.start()
    end = time.perf_counter() + SECONDS
    sequence = 1
    env = os.environ | {"BENEFIT_DESK_URL": home.desk_url}
    while time.perf_counter() < end:
        sequence += 1
        folder_of(folder / f"{sequence}", sequence)
        started = time.perf_counter()
        words = [sys.executable, "-m", "batch.cli", "--home", str(home.path), "desk", "load"]
        subprocess.run([*words, str(folder / f"{sequence}")], env=env, check=True, capture_output=True)
        loads.append(time.perf_counter() - started)
    stop.set()
    for worker in workers:
        worker.join()
    together = sorted(value for values in times.values() for value in values)
    return {
        "answers": len(together),
        "errors": errors[:3],
        "failed": len(errors),
        "loads": loads,
        "p50": statistics.quantiles(together, n=100)[49],
        "p95": statistics.quantiles(together, n=100)[94],
        "p99": statistics.quantiles(together, n=100)[98],
        "steps": {name: statistics.quantiles(values, n=100)[94] for name, values in times.items() if len(values) > 1},
    }


def main(url: str, what: str) -> int:
    """測る。"""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place)
        home = Home.at(path / "home", desk_url=url)
        home.ensure()
        init_desk(home)
        folder_of(path / "1", 1)
        desk_load.load(home, path / "1", clock=system_clock)
        tokens = people(home)
        with server(home, path / "server.log") as port:
            told = look_up(home, tokens, port) if what == "look-up" else calls(home, tokens, port, path)
        if told.get("failed"):
            sys.stderr.write((path / "server.log").read_text()[-8_000:])
        home.desk.dispose()
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
