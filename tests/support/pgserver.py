"""試験用の PostgreSQL: loopback に、自分の利用者で立てる。なければ、大きな声で失敗する。

本番と同じ守り（fsync など）のまま使う。置き場がメモリの上（/dev/shm）なので、切っても速くならない（測って同じだった）。
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

import psycopg


def binaries() -> pathlib.Path:
    found = list(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if given := os.environ.get("PG_BINDIR"):
        return pathlib.Path(given)
    if not found:
        raise RuntimeError("PostgreSQL が入っていません。make system を実行してください")
    return max(found, key=lambda path: int(path.parent.name))


class Server:
    def __init__(self, base: pathlib.Path, **settings: str) -> None:
        self.base = base
        self.drop = ["setpriv", "--pdeathsig", "QUIT"]  # 試験が死んだら、サーバーも残らない
        if os.geteuid() == 0:  # PostgreSQL は root では動かない
            shutil.chown(base, "postgres", "postgres")
            self.drop += ["--reuid=postgres", "--regid=postgres", "--init-groups"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        if settings.get("listen_addresses") == "":
            # 何度も立て直すあいだに、空いた番号をほかのサーバーに取られても、つなぐ先を取り違えない。
            self.url = f"postgresql+psycopg://postgres@/postgres?host={base}&port={port}"
        self.options = {"port": port, "unix_socket_directories": base, "listen_addresses": "127.0.0.1", **settings}
        subprocess.run(
            [
                *self.drop,
                binaries() / "initdb",
                "-D",
                base / "data",
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "-N",
            ],
            check=True,
            cwd=base,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        with (self.base / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *self.drop,
                    binaries() / "postgres",
                    "-D",
                    self.base / "data",
                    *(f"--{key}={value}" for key, value in self.options.items()),
                ],
                cwd=self.base,
                stdout=log,
                stderr=log,
            )
        for _ in range(600):
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url.replace("+psycopg", "")).close()
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError((self.base / "log").read_text(errors="replace"))

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """止めて、終わるまで待つ。"""
        self.process.send_signal(how)
        self.process.wait(30)


@contextlib.contextmanager
def postgres(**settings: str) -> Iterator[Server]:
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    base = pathlib.Path(tempfile.mkdtemp(prefix="pg-", dir=where))
    try:
        server = Server(base, **settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)
