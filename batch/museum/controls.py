"""事故再現に出てくる守りの名前と、その在りか。"""

from __future__ import annotations

from batch.museum.office import LEDGER_YEN, NOTHING
from batch.museum.story import Control

RULE, LEDGER, CONSTRAINT = "支給判定の検査", "台帳の読み直し", "データベースの制約"
FINGERPRINT, READER, STEPS = "ファイルの指紋", "第二の読み手", "状態の進み方"


def _one(key: str, name: str, mechanism: str, where: str, *signs: str) -> Control:
    return Control(key, name, mechanism, where, frozenset(signs))


COUNT = _one(
    "CHK04", "まだ払っていない権利より多い行のファイルは、一行も判定せずに断る", "ファイルの件数の上限",
    "支給判定 CHK04（benefit/services/judgment.py）", "CHK04",
)  # fmt: skip
SAME_FILE = _one(
    "CHK01", "同じ中身のファイルは、番号が違っても二度判定しない", FINGERPRINT,
    "支給判定 CHK01 と planned_file.sha256 の一意制約", "CHK01",
)  # fmt: skip
TWICE_IN_FILE = _one(
    "CHK20", "同じ権利がファイルの中に二度あれば、どの行も払わない", RULE,
    "支給判定 CHK20（benefit/rules/payment_checks_number.py）", "CHK20",
)  # fmt: skip
ALREADY = _one(
    "CHK30-31", "区の台帳で払った・振込中の権利は払わない（委託先の一覧は見ない）", RULE,
    "支給判定 CHK30・CHK31（benefit/rules/payment_checks_number.py）", "CHK30", "CHK31",
)  # fmt: skip
PERSON = _one(
    "CHK11-65", "権利の受給者でない人・亡くなった人・承継の記録のない人には払わない", RULE,
    "支給判定 CHK11・CHK60・CHK65・CHK90 ほか（benefit/rules/payment_checks_*.py）", "CHK11", "CHK60", "CHK65",
)  # fmt: skip
AMOUNT = _one(
    "CHK70-72", "権利の額と違う行、一件の上限を超える行は払わない", RULE,
    "支給判定 CHK70・CHK71・CHK72（benefit/rules/payment_checks_money.py）", "CHK70", "CHK71", "CHK72",
)  # fmt: skip
PENDING = _one(
    "pending", "振込は、台帳で「支給可で、まだ払っていない」権利からだけ作る", LEDGER,
    "振込を作る時（benefit/services/transfer_lines.py pending_verdicts）", NOTHING,
)  # fmt: skip
LEDGER_AMOUNT = _one(
    "ledger-yen", "払う額は台帳の権利の額であり、申し出の額は使わない", LEDGER,
    "振込を作る時（benefit/services/transfer_lines.py pending_verdicts）", LEDGER_YEN,
)  # fmt: skip
GATE = _one(
    "gate", "作る日・送り出す日の住民記録で見直し、受給者が亡くなった権利は振り込まない", "いまの事実での見直し",
    "振込を作る時・送り出す時（benefit/services/gate.py）", NOTHING, "gate",
)  # fmt: skip
CEILING = _one(
    "ceiling",
    "承認と送り出しのたびに台帳の行から数え直し、一件・一人の上限を超える振込を断る",
    "振込の上限",
    "承認・送り出しの時（benefit/services/transfer_gate.py check_head）",
    "line-ceiling",
    "payee-ceiling",
)
LIVE_SLOT = _one(
    "uq_payment_live_slot", "一つの権利に、生きている支払は一つまで", CONSTRAINT,
    "一意索引 uq_payment_live_slot（payment.slot）", "paid-once",
)  # fmt: skip
VERDICT_LINE = _one(
    "uq_payment_verdict_line", "一つの判定の行から、支払は一つまで", CONSTRAINT,
    "一意索引 uq_payment_verdict_line（payment.planned_file_id, line_number）", "paid-once",
)  # fmt: skip
JUDGED_ONLY = _one(
    "fk_verdict", "判定の行を指さない支払は、存在できない", CONSTRAINT,
    "外部キー payment → verdict（planned_file_id, line_number）", "paid-once",
)  # fmt: skip
AMOUNT_KEY = _one(
    "fk_amount", "支払の額は、権利の額でなければ存在できない", CONSTRAINT,
    "外部キー payment → entitlement（id, slot, amount_yen）", "paid-once",
)  # fmt: skip
ONE_SLOT = _one(
    "uq_entitlement_slot", "基準日の世帯に、世帯の権利は一つまで（世帯主の名では数えない）", CONSTRAINT,
    "一意制約 entitlement.slot", "same-slot",
)  # fmt: skip
DIGEST = _one(
    "digest", "承認と送り出しは、作った時の指紋と同じファイルにだけできる", FINGERPRINT,
    "承認・送り出しの時（benefit/services/transfers.py check_file）", "digest",
)  # fmt: skip
SECOND_READER = _one(
    "reread", "様式を共有しない読み手が、ファイルを台帳と一行ずつ比べる", READER,
    "承認・送り出しの時（benefit/records/zengin_reader.py）", "reread",
)  # fmt: skip
CLAIM_OF_PAID = _one(
    "claim-paid", "払った権利の、相続人・承継の申請は受理できない", "申請の審査",
    "申請の入力と決定（benefit/services/claims_examined.py）", "CHK30",
)  # fmt: skip
ONE_RECEIPT = _one(
    "transition", "一つの番号の確認書は、一度しか収受できない（届いた道を問わない）", STEPS,
    "給付管理システムの収受（benefit/services/desk_intake.py、進み方は benefit/domain/case_transitions.py）",
    "form-duplicate",
)  # fmt: skip
NO_ERASING = _one(
    "payment_refuses_delete", "台帳の支払は、誰にも消せない", CONSTRAINT,
    "台帳の仕掛け payment_refuses_delete（migrations/ward/0002_triggers.py）", "refused-by-the-store",
)  # fmt: skip
SAME_CONTENT = _one(
    "content_key", "日付だけ変えた同じ中身の振込は、登録できない", FINGERPRINT,
    "一意制約 transfer.content_key", "refused-by-the-store",
)  # fmt: skip
