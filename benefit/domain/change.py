"""決めた後に変わった事実: 何が変わったか、どこまで進んでいるか、だから何をするか。

登録した支給権利は、黙って書き換わらない。変わったことと、することが、この表から一覧になる
（benefit-rules A.7 出来事、C.3 状態の表、F.3 区が直接扱う人）。
"""

from __future__ import annotations

from dataclasses import dataclass

#: どこまで進んでいるか。
STAGES = ("before_letter", "sent", "accepted", "in_transfer", "paid", "failed")
STAGE_NAMES = {
    "before_letter": "手紙の前",
    "sent": "手紙の後、受諾の前",
    "accepted": "受諾の後、振込の前",
    "in_transfer": "振込の途中",
    "paid": "振込済",
    "failed": "振込不能",
}


@dataclass(frozen=True)
class Change:
    """変わったこと一種類。todo は、段階ごとの、すること。"""

    code: str
    name: str
    basis: str
    todo: dict[str, tuple[str, ...]]


_STOP_LETTER = "手紙を出さない（関門が止めている）"
_STOP_PAYMENT = "支払を止める（関門が止めている）"
_PULL_TRANSFER = "送り出す前なら振込を取り消す（benefit transfer cancel）。送り出した後なら銀行へ組戻しを頼む"
_WITHDRAW = "給付管理システムから引き上げる（次の benefit desk export で居なくなる。すぐ出す）"
_HEIR = "相続人の手続きを案内する（benefit claim enter heir）"
_SUCCESSOR = "新しい世帯主の申請を受け、出し直す（benefit claim enter successor、枝番 +1、古い手紙は無効）"
_REFUSE = "不支給を決めて知らせる"
_REPAY = "誤支給として認定し、返還を求める（R50）"
_REBUILD = "対象者を作り直し、差の承認を受ける（benefit beneficiaries build・approve）"
_NOTHING = "何もしない"
_TAKE_OVER = "区が引き継ぐ。以後の手紙と支払は区の中だけで作る"
_INCIDENT = "事故の記録に残し、委託先に渡っていた期間と範囲を確かめる"
_REISSUE = "返戻になったら、新しい住所で出し直す（benefit letters reissue、枝番 +1）"

_STOPPED = {
    "before_letter": (_STOP_LETTER, _REFUSE),
    "sent": (_STOP_PAYMENT, _REFUSE),
    "accepted": (_STOP_PAYMENT, _REFUSE),
    "in_transfer": (_PULL_TRANSFER, _REPAY),
    "paid": (_REPAY,),
    "failed": (_STOP_PAYMENT, _REFUSE),
}
_OFFICER = {
    "before_letter": (_STOP_LETTER, "職員が確かめる"),
    "sent": (_STOP_PAYMENT, "職員が確かめる"),
    "accepted": (_STOP_PAYMENT, "職員が確かめる"),
    "in_transfer": ("職員が確かめる", _PULL_TRANSFER),
    "paid": ("職員が確かめる",),
    "failed": (_STOP_PAYMENT, "職員が確かめる"),
}
#: 変わったこと。上から見て、最初に当たったものが、その権利の変わったことである。
CHANGES: tuple[Change, ...] = (
    Change(
        "PROTECTED",
        "区が直接扱う人になった",
        "benefit-rules F.3、C.3 any unpaid",
        {
            "before_letter": (_WITHDRAW, _TAKE_OVER),
            "sent": (_WITHDRAW, "印刷所にある手紙を抜き取る", _TAKE_OVER, _INCIDENT),
            "accepted": (_WITHDRAW, _TAKE_OVER, _INCIDENT),
            "in_transfer": (_WITHDRAW, _TAKE_OVER, _INCIDENT),
            "paid": (_WITHDRAW, _INCIDENT),
            "failed": (_WITHDRAW, _TAKE_OVER, _INCIDENT),
        },
    ),
    Change(
        "DIED_OTHERS_LIVING",
        "世帯主が亡くなり、ほかの世帯員がいる",
        "benefit-rules A.7",
        {
            "before_letter": (_STOP_LETTER, _SUCCESSOR),
            "sent": (_STOP_PAYMENT, _SUCCESSOR),
            "accepted": (_STOP_PAYMENT, _HEIR),
            "in_transfer": (_PULL_TRANSFER, _HEIR),
            "paid": (_NOTHING,),
            "failed": (_HEIR,),
        },
    ),
    Change(
        "DIED",
        "受給者が亡くなった",
        "benefit-rules A.7",
        {
            "before_letter": (_STOP_LETTER, _REFUSE),
            "sent": (_STOP_PAYMENT, "受諾の前に亡くなったので、支払わない", _REFUSE),
            "accepted": (_STOP_PAYMENT, _HEIR),
            "in_transfer": (_PULL_TRANSFER, _HEIR),
            "paid": (_NOTHING,),
            "failed": (_HEIR,),
        },
    ),
    Change("VANISHED", "抽出データからいなくなった", "benefit-rules D CHK61", _OFFICER),
    Change(
        "FROZEN",
        "基準日の後に税が変わった（調整給付は変えない）",
        "benefit-rules A.6（Frozen at BASE_DATE）",
        dict.fromkeys(STAGES, ("何もしない（差は、翌年の不足額給付で精算する）",)),
    ),
    Change("TAX_UP", "税の更正で、所得割課税の世帯になった", "benefit-rules A.7、C.3", _STOPPED),
    Change("EXCLUDED", "いまの事実では対象外である", "benefit-rules D CHK61", _STOPPED),
    Change("UNDETERMINED", "いまの事実では未確定である", "benefit-rules C.3", _OFFICER),
    Change(
        "PAYEE_CHANGED",
        "世帯主が変わった",
        "benefit-rules A.7（手紙は基準日の世帯主あて）、CHK65",
        {
            "before_letter": (_STOP_LETTER, _SUCCESSOR),
            "sent": (_STOP_PAYMENT, _SUCCESSOR),
            "accepted": (_STOP_PAYMENT, _SUCCESSOR),
            "in_transfer": ("職員が確かめる", _PULL_TRANSFER),
            "paid": ("職員が確かめる",),
            "failed": (_SUCCESSOR,),
        },
    ),
    Change("AMOUNT", "支給額が変わった", "benefit-rules D CHK70", _OFFICER),
    Change(
        "REMOVED_BY_OFFICE",
        "職権で消除された",
        "benefit-rules A.7（保留、職員）",
        {
            "before_letter": ("居所を確かめてから手紙を出す",),
            "sent": ("職員が居所を確かめる（支給判定が保留にする、CHK68）",),
            "accepted": ("職員が居所を確かめる（支給判定が保留にする、CHK68）",),
            "in_transfer": ("職員が居所を確かめる", _PULL_TRANSFER),
            "paid": (_NOTHING,),
            "failed": ("職員が居所を確かめる（支給判定が保留にする、CHK68）",),
        },
    ),
    Change(
        "MOVED",
        "住所・氏名が変わった、または転出した",
        "benefit-rules A.7、CHK91、平川市の事例",
        {
            "before_letter": ("新しい送付先を登録する（benefit import addresses）",),
            "sent": (_REISSUE,),
            "accepted": ("口座の名義を確かめる",),
            "in_transfer": (_NOTHING,),
            "paid": (_NOTHING,),
            "failed": ("新しい送付先に、振込不能のお知らせを送る",),
        },
    ),
    Change(
        "ENTERS",
        "新しく対象になった",
        "benefit-rules A.7（税の更正、照会の回答）",
        dict.fromkeys(STAGES, (_REBUILD,)),
    ),
)
CHANGE_OF = {change.code: change for change in CHANGES}
