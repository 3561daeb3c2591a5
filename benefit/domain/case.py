"""給付管理システムの一件（ケース）の状態と進み方。

`TRANSITIONS` にない進み方は断られる。画面のボタン、流れ図、違法な進み方の試験は、みなこの表から作る
（benefit-rules C.2・C.3、architecture.md「三つの考え」3）。
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CaseState(StrEnum):
    """状態の符号（benefit-rules C.2）。"""

    CANDIDATE = "S10"
    NOTICE_SENT = "P20"
    REFUSED_NOTICE = "P22"
    ACCEPTED = "P25"
    LETTER_SENT = "C20"
    RECEIVED = "C22"
    DEFICIENT = "C24"
    REVIEWED = "C27"
    EXPIRED = "C28"
    REFUSED = "C29"
    PLANNED = "J30"
    HELD = "J31"
    BLOCKED = "J32"
    DECIDED = "D33"
    NOT_PAID = "D34"
    FILED = "F40"
    SENT = "F41"
    PAID = "F42"
    FAILED = "F43"
    AWAITING_ACCOUNT = "F44"


CASE_STATES = tuple(state.value for state in CaseState)


@dataclass(frozen=True)
class StateWords:
    """状態の言葉: 画面の短い名前、電話で読み上げる一文（日本語・英語）、次の手順。

    文の中の `{due}` `{received}` `{paid}` は、その件の日付（和暦）に置き換わる。
    """

    name: str
    says: str
    says_english: str
    next_step: str


STATE_WORDS: dict[str, StateWords] = {
    "S10": StateWords(
        "発送前",
        "お知らせか確認書をお送りする準備をしています。届くまでお待ちください。",
        "We are preparing to send you a letter. Please wait until it arrives.",
        "発送を待つ。",
    ),
    "P20": StateWords(
        "お知らせ発送済",
        "支給のお知らせをお送りしています。{due}までに辞退や口座変更のお申し出がなければ、手続きは不要で、お知らせに書かれた口座に振り込みます。",
        "We have sent you a notice of payment. No action is needed unless you decline or change it by {due_en}.",
        "辞退・口座変更の期限（{due}）を待つ。",
    ),
    "P22": StateWords(
        "辞退",
        "受け取りを辞退するお申し出を受け付けています。",
        "We have received your request to decline the benefit.",
        "辞退の取りやめを希望されるときは、区へつなぐ。",
    ),
    "P25": StateWords(
        "支給準備中",
        "辞退・口座変更の期限が過ぎましたので、お支払いの準備をしています。",
        "The deadline to decline has passed and we are preparing your payment.",
        "支給予定情報を作り、区の支給判定を受ける。",
    ),
    "C20": StateWords(
        "確認書発送済",
        "確認書をお送りしています。{due}までにご返送ください。まだ受け付けていません。",
        "We have sent you a confirmation form. Please return it by {due_en}. We have not received it yet.",
        "返送を待つ。届いていないときは再発行を案内する。",
    ),
    "C22": StateWords(
        "受付済",
        "{received}に確認書を受け付けました。これから内容を確認します。",
        "We received your form on {received_en} and will review it.",
        "審査をする。",
    ),
    "C24": StateWords(
        "不備",
        "{received}に確認書を受け付けましたが、足りないものがあります。不備のお知らせをお送りしますので、ご確認ください。",
        "We received your form on {received_en}, but something is missing. We are sending you a letter about it.",
        "不備の内容を確かめ、補正を受け付ける。",
    ),
    "C27": StateWords(
        "審査完了",
        "{received}に確認書を受け付け、審査が終わりました。お支払いの準備をしています。",
        "We received your form on {received_en} and have finished the review. We are preparing your payment.",
        "支給予定情報を作り、区の支給判定を受ける。",
    ),
    "C28": StateWords(
        "期限経過",
        "期限の{due}までに確認書の返送がなかったため、受付を終わっています。",
        "The deadline of {due_en} has passed without your form being returned.",
        "事情があるときは、区へつなぐ。",
    ),
    "C29": StateWords(
        "辞退",
        "受け取りを辞退する確認書を受け付けています。",
        "We have received your form declining the benefit.",
        "辞退の取りやめを希望されるときは、区へつなぐ。",
    ),
    "J30": StateWords(
        "判定中",
        "審査が終わり、区で最後の確認をしています。",
        "The review is finished and the ward office is making the final check.",
        "区の支給判定の結果を待つ。",
    ),
    "J31": StateWords(
        "区確認中",
        "お手続きは受け付けており、区で内容を確認しています。お時間をいただきます。",
        "Your procedure has been accepted and the ward office is checking it. It will take some time.",
        "区の確認の結果を待つ。内容を問われたら区へつなぐ。",
    ),
    "J32": StateWords(
        "区確認中",
        "お手続きについて、区で確認しています。区からご連絡します。",
        "The ward office is checking your procedure and will contact you.",
        "区へつなぐ。",
    ),
    "D33": StateWords(
        "支給決定",
        "お支払いが決まりました。振込の手続きをしています。",
        "Your payment has been approved and the transfer is being arranged.",
        "振込日の連絡を待つ。",
    ),
    "D34": StateWords(
        "支給なし",
        "この給付金は、支給しないことになりました。くわしいことは、区からご案内します。",
        "It has been decided that this benefit will not be paid. The ward office will explain the details.",
        "理由を問われたら区へつなぐ。",
    ),
    "F40": StateWords(
        "振込予定",
        "お支払いが決まり、{paid}に振り込む予定です。",
        "Your payment has been approved and is planned for {paid_en}.",
        "振込日を待つ。",
    ),
    "F41": StateWords(
        "振込予定",
        "お支払いが決まり、{paid}に振り込む予定です。",
        "Your payment has been approved and is planned for {paid_en}.",
        "振込日を待つ。",
    ),
    "F42": StateWords(
        "振込済",
        "{paid}に、ご指定の口座へ振り込みました。通帳などでご確認ください。",
        "We transferred the payment to your account on {paid_en}. Please check your passbook.",
        "入金が見当たらないと言われたら、区へつなぐ。",
    ),
    "F43": StateWords(
        "振込不能",
        "{paid}に振り込みましたが、口座の都合で入金できませんでした。口座の確認をお願いする手紙をお送りします。",
        "We sent the payment on {paid_en}, but the bank could not accept it. We will send you a letter.",
        "口座の再届出を受け付ける。",
    ),
    "F44": StateWords(
        "口座再届出待ち",
        "振り込みができなかったため、口座の再届出をお待ちしています。",
        "The transfer failed and we are waiting for your new account details.",
        "新しい口座の届出を受け付ける。",
    ),
}

#: (今の状態, 出来事) → 次の状態。
TRANSITIONS: dict[tuple[str, str], str] = {
    ("S10", "notice_mailed"): "P20",
    ("S10", "letter_mailed"): "C20",
    ("P20", "refusal_received"): "P22",
    ("P20", "notice_deadline_passed"): "P25",
    ("P25", "planned"): "J30",
    ("C20", "form_received"): "C22",
    ("C20", "refusal_received"): "C29",
    ("C20", "deadline_passed"): "C28",
    ("C22", "deficiency_found"): "C24",
    ("C22", "review_finished"): "C27",
    ("C24", "correction_received"): "C22",
    ("C27", "planned"): "J30",
    ("J30", "verdict_payable"): "D33",
    ("J30", "verdict_held"): "J31",
    ("J30", "verdict_blocked"): "J32",
    ("J31", "verdict_payable"): "D33",
    ("J31", "verdict_blocked"): "J32",
    ("J32", "verdict_payable"): "D33",
    ("J32", "verdict_held"): "J31",
    ("D33", "filed"): "F40",
    ("D33", "sent"): "F41",
    ("F40", "sent"): "F41",
    ("F41", "credited"): "F42",
    ("F41", "transfer_failed"): "F43",
    ("F42", "transfer_failed"): "F43",
    ("F43", "account_asked"): "F44",
    ("F43", "account_received"): "C27",
    ("F44", "account_received"): "C27",
    # 銀行に組戻しを頼んだ。返事が来るまで、振込日を言わない。
    ("F41", "recall_asked"): "J31",
}
#: 権利の終わりは、どの状態でも区が決めうる（不支給決定。C28・X60・J32・F44 のどこからでも）。理由は外へ出ない。
TRANSITIONS |= {(state, "ended"): "D34" for state in CASE_STATES if state != "D34"}

EVENT_NAMES = {
    "loaded": "区から受渡",
    "notice_mailed": "お知らせの発送",
    "letter_mailed": "確認書の発送",
    "refusal_received": "辞退の受付",
    "notice_deadline_passed": "辞退期限の経過",
    "planned": "支給予定情報の提出",
    "form_received": "確認書の収受",
    "deadline_passed": "返送期限の経過",
    "deficiency_found": "不備",
    "review_finished": "審査完了",
    "correction_received": "補正の収受",
    "verdict_payable": "支給可",
    "verdict_held": "保留",
    "verdict_blocked": "不可",
    "filed": "振込データ作成",
    "sent": "銀行送付",
    "credited": "振込済",
    "transfer_failed": "振込不能",
    "recall_asked": "区の確認",
    "ended": "支給しない決定",
    "account_asked": "口座再届出の依頼",
    "account_received": "新しい口座の収受",
    "withdrawn": "区へ引上げ",
    "reissued": "手紙の出し直し",
}


#: 区から届く 進捗状況 が起こせる出来事。委託先の仕事（収受・審査）は、区の知らせでは進まない。
WARD_EVENTS = (
    "notice_mailed",
    "letter_mailed",
    "verdict_payable",
    "verdict_held",
    "verdict_blocked",
    "filed",
    "sent",
    "credited",
    "transfer_failed",
    "recall_asked",
    "ended",
)


def ward_path(state: str, target: str) -> list[tuple[str, str]] | None:
    """今の状態から、区の知らせた状態までの (出来事, 次の状態) の並び。最短。届かなければ None。"""
    queue: list[tuple[str, list[tuple[str, str]]]] = [(state, [])]
    seen = {state}
    while queue:
        at, steps = queue.pop(0)
        if at == target:
            return steps
        for event in WARD_EVENTS:
            then = TRANSITIONS.get((at, event))
            if then is not None and then not in seen:
                seen.add(then)
                queue.append((then, [*steps, (event, then)]))
    return None


def is_ahead(state: str, told: str) -> bool:
    """今の状態は、区の知らせた状態から先へ進んだものか。"""
    reached, frontier = {told}, [told]
    while frontier:
        at = frontier.pop()
        for (origin, _event), then in TRANSITIONS.items():
            if origin == at and then not in reached:
                reached.add(then)
                frontier.append(then)
    return state in reached


def next_state(state: str, event: str) -> str | None:
    """次の状態。許されない進み方は None。"""
    return TRANSITIONS.get((state, event))
