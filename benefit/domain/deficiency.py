"""不備の符号（benefit-rules C.5）と、審査で見る項目。手紙と画面の言葉は、みなここから取る。"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """不備の一つ: 短い名前と、本人にしてもらうこと（手紙と電話の一文）。"""

    name: str
    asks: str


DEFECTS: dict[str, Defect] = {
    "signature": Defect("署名・記名なし", "署名の欄に、ご本人のお名前を書いてください。"),
    "pledge": Defect("確認欄（誓約）の未記入", "確認の欄を読み、当てはまるものに印を付けてください。"),
    "identity_missing": Defect("本人確認書類なし", "本人確認書類の写しを送ってください。"),
    "identity_expired": Defect("本人確認書類の期限切れ", "期限の切れていない本人確認書類の写しを送ってください。"),
    "account_paper": Defect("口座書類なし", "通帳かキャッシュカードの、口座の分かる面の写しを送ってください。"),
    "account_unclear": Defect("口座の記入漏れ・判読不能", "振込先の口座を、もう一度はっきり書いてください。"),
    "holder": Defect("口座名義が受給者と違う", "ご本人の名義の口座を書いてください。"),
    "proxy": Defect("委任状なし・不備", "代理の方が手続きをするための、委任の欄を書いてください。"),
    "proxy_identity": Defect("代理人の本人確認書類なし", "代理の方の本人確認書類の写しを送ってください。"),
    "tax_certificate": Defect("課税証明書なし（転入の方）", "前にお住まいの市区町村の、課税証明書を送ってください。"),
    "address": Defect("住所変更の届出なし", "住所の変更を、区の窓口へ届け出てください。"),
    "custody": Defect("児童の監護の申立なし", "お子さんを監護していることの申立書を送ってください。"),
    "wrong_paper": Defect("添付が別の人のもの", "ご本人の書類の写しを送ってください。"),
    "late": Defect("期限後", "期限の後に届きました。事情を区が確認します。"),
    "twice": Defect("二重提出", "同じ書類が二度届きました。先に届いたものを使います。"),
    "both_channels": Defect(
        "電子と紙の両方の提出", "電子の申請と紙の申請の両方が届きました。先に届いたものを使います。"
    ),
}


@dataclass(frozen=True)
class CheckItem:
    """審査で見る項目。× のときに選べる不備の符号（初めのものが既定）。"""

    name: str
    defects: tuple[str, ...]


CHECK_ITEMS: dict[str, CheckItem] = {
    "signature": CheckItem("署名", ("signature",)),
    "pledge": CheckItem("確認欄（誓約）", ("pledge",)),
    "identity": CheckItem("本人確認書類", ("identity_missing", "identity_expired", "wrong_paper")),
    "account": CheckItem("口座の記入", ("account_unclear",)),
    "account_paper": CheckItem("口座の書類", ("account_paper", "wrong_paper")),
    "holder": CheckItem("口座名義", ("holder",)),
    "proxy": CheckItem("代理・委任", ("proxy", "proxy_identity")),
    "tax_certificate": CheckItem("課税証明書（転入の方）", ("tax_certificate",)),
    "address": CheckItem("住所", ("address",)),
    "custody": CheckItem("児童の監護", ("custody",)),
}
#: 見た結果。
GOOD, BAD, NOT_NEEDED = "○", "×", "不要"
CHECK_MARKS = (GOOD, BAD, NOT_NEEDED)

#: 届いたもの（received_form.kind）。
FORM_KINDS = {
    "confirmation": "確認書",
    "claim": "申請書",
    "refusal": "辞退届",
    "account": "口座変更届",
    "correction": "補正",
    "new_account": "口座再届出",
    "objection": "申し立て",
}
CHANNELS = {"post": "郵送", "counter": "窓口"}
#: 届いたものの扱い（received_form.standing）。
STANDINGS = {"taken": "受付", "duplicate": "二重提出", "old_branch": "前の枝番", "late": "期限後"}
#: 返戻のわけ。
RETURN_REASONS = {
    "unknown_address": "あて所に尋ねあたらない",
    "moved": "転居先不明",
    "not_collected": "保管期間の経過",
    "refused": "受取拒否",
    "other": "その他",
}
#: 送るべき手紙（letter_due.kind）。
LETTER_KINDS = {
    "deficiency": "不備のお知らせ",
    "reissue": "再発行",
    "reminder": "勧奨",
    "new_account": "口座再届出のお願い",
    "refusal": "辞退の受付のお知らせ",
}
#: 送るべき手紙にしたこと（letter_done.deed）。
LETTER_DEEDS = {"printed": "印刷", "handed": "手渡し", "posted": "発送", "told": "口頭", "cancelled": "取りやめ"}
#: 対応履歴の分け（contact.category）。
CONTACT_CATEGORIES = {
    "call": "電話",
    "counter": "窓口",
    "post": "郵便",
    "account": "口座",
    "address": "住まい",
    "death": "受給者死亡の申出",
    "correction": "不備・補正",
    "letter": "手紙",
    "complaint": "ご意見",
    "ward": "区への連絡",
    "other": "その他",
}
#: 補正期限までの日数（benefit-rules C.4 の例: 10-31 から 11-15 まで）。
CORRECTION_DAYS = 14
#: 期限までの消印の郵便が届くのを待つ日数。
MAIL_GRACE_DAYS = 5
