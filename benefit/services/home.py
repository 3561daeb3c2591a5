"""区の作業場所（home）: 二つの台帳の在りか、鍵、受け箱、出し箱、取込の写し。

既定は ./ward-home。環境変数 BENEFIT_HOME、BENEFIT_WARD_URL、BENEFIT_DESK_URL で変える。
区と委託先は別の計算機なので、実運用では片方の URL だけを持つ（README「本番の置き方」）。
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Engine

from benefit.domain.errors import WrongUse
from benefit.domain.programme import Programme
from benefit.services.files import write_atomic
from benefit.store.engine import make_engine


class Settings(BaseSettings):
    """環境から読む設定。URL には合言葉が入りうるので表示しない。"""

    model_config = SettingsConfigDict(env_prefix="BENEFIT_")

    home: Path = Path("ward-home")
    ward_url: SecretStr | None = None
    desk_url: SecretStr | None = None
    #: 端末の証明書を確かめる入口（逆プロキシ）の番地。コンマ区切り。空なら、サーバー自身の前だけで使う。
    proxy: str = ""


@dataclass(frozen=True)
class Home:
    """作業場所。台帳への接続は、求められた時に初めて開く。"""

    path: Path
    ward_url: str
    desk_url: str

    @staticmethod
    def of(settings: Settings) -> Home:
        """設定から。URL がなければ home の中の SQLite。"""
        path = settings.home.resolve()
        ward = settings.ward_url.get_secret_value() if settings.ward_url else f"sqlite:///{path / 'ward.db'}"
        desk = settings.desk_url.get_secret_value() if settings.desk_url else f"sqlite:///{path / 'desk.db'}"
        return Home(path, ward, desk)

    @staticmethod
    def at(path: Path, *, ward_url: str | None = None, desk_url: str | None = None) -> Home:
        """この場所の作業場所。"""
        path = path.resolve()
        return Home(path, ward_url or f"sqlite:///{path / 'ward.db'}", desk_url or f"sqlite:///{path / 'desk.db'}")

    @cached_property
    def ward(self) -> Engine:
        """区の台帳。"""
        return make_engine(self.ward_url, "ward")

    @cached_property
    def desk(self) -> Engine:
        """給付管理システムの台帳。"""
        return make_engine(self.desk_url, "desk")

    @property
    def snapshots(self) -> Path:
        """取り込んだ抽出データの写し（Parquet、指紋が名前）。"""
        return self.path / "snapshots"

    @property
    def programmes(self) -> Path:
        """区が足した・直した給付事業（TOML）。同じ名なら、同梱のものより先に使う。"""
        return self.path / "programmes"

    @property
    def words(self) -> Path:
        """区が直した手紙の言葉（TOML）。同じ名なら、同梱のものより先に使う。"""
        return self.path / "words"

    def programme(self, programme_id: str, *, changes: Mapping[str, str] | None = None) -> Programme:
        """給付事業を読む。`changes` は試算で変える値。"""
        return Programme.load(programme_id, folder=self.programmes, changes=changes)

    @cached_property
    def benefit_names(self) -> dict[str, str]:
        """給付種別から名へ、この作業場所で使える全部の事業について。"""
        names: dict[str, str] = {}
        for programme_id in Programme.known(self.programmes):
            names |= self.programme(programme_id).benefit_names
        return names

    @property
    def outbox(self) -> Path:
        """銀行に渡すファイルなど、区から出るもの。"""
        return self.path / "outbox"

    def ensure(self) -> None:
        """フォルダを作る。持ち主だけが入れる（checklist: 保存先フォルダへアクセス権を設定）。"""
        for folder in (self.path, self.snapshots, self.outbox, self.path / "inbox", self.path / "keys"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)

    def key(self, name: str) -> bytes:
        """32 バイトの鍵。初めて求められた時に乱数で作り、持ち主だけが読めるように置く。"""
        path = self.path / "keys" / f"{name}.key"
        if not path.exists():
            self.ensure()
            write_atomic(path, secrets.token_bytes(32), mode=0o400)
        if path.stat().st_mode & 0o077:
            raise WrongUse(f"鍵 keys/{path.name} を他人が読めます。chmod 400 にしてください", code="key-mode")
        if path.stat().st_uid != os.geteuid():
            raise WrongUse(f"鍵 keys/{path.name} の持ち主が違います", code="key-owner")
        return path.read_bytes()
