"""送り出したファイルと、それについて台帳の言うこと。"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benefit.records.zengin_reader import findings
from benefit.services.transfer_file import expected_in_file, lines_of
from tests.services.conftest import PAY, PROGRAMME, Office

RECORD = 122


@dataclass
class Released:
    """送り出したバイト列、台帳の行、二人目の読み手に渡す期待。"""

    content: bytes
    lines: list[dict[str, Any]]
    expected: tuple[Any, Any]

    @property
    def records(self) -> list[bytes]:
        return [self.content[at : at + RECORD] for at in range(0, len(self.content), RECORD)]

    def refused(self, content: bytes) -> bool:
        """二人目の読み手が、このバイト列を断るか。"""
        return bool(findings(content, *self.expected))


def released(office: Office) -> Released:
    """判定から送り出しまでを本当に行い、銀行に渡すフォルダに出たファイルを読む。"""
    sent = office.send()
    with office.home.ward.connect() as connection:
        lines = lines_of(connection, sent.id)
    content = (office.root / "bank" / sent.path.name).read_bytes()
    found = Released(content, lines, expected_in_file(lines, PROGRAMME, PAY, office.banks))
    assert not found.refused(content), "壊していないファイルを断っては、試験にならない"
    return found
