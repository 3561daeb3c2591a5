"""状態の言葉と、出来事の名。電話で読み上げる一文は、状態だけから作る（日本語と英語の二つ）。"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StateWords:
    """状態の言葉: 画面の短い名前、電話で読み上げる一文（日本語・英語）、次の手順。

    文の中の `{due}` `{received}` `{correct_by}` `{paid}` は、その件の日付（和暦）に置き換わる。
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
        "We have sent you a notice of payment. Unless you decline or change your account by {due_en}, no action is "
        "needed and we will pay into the account on the notice.",
        "辞退・口座変更の期限（{due}）を待つ。",
    ),
    "P21": StateWords(
        "お知らせ返戻",
        "お送りした支給のお知らせが、届かずに戻っています。お届け先を区で確認し、あらためてお送りします。",
        "The notice we sent you was returned undelivered. The ward office will check your address and send it again.",
        "いまの住まいを聞いて書き留め、再発行を頼む。",
    ),
    "P22": StateWords(
        "辞退",
        "受け取りを辞退するお申し出を受け付けています。取りやめは、{due}まで受け付けます。",
        "We have received your request to decline the benefit. You can take it back until {due_en}.",
        "辞退の取りやめは期限（{due}）まで。過ぎていたら、区へつなぐ。",
    ),
    "P23": StateWords(
        "口座の届出受付",
        "{received}に、新しい口座の届出を受け付けました。これから口座の書類を確認します。",
        "We received your new account details on {received_en} and will check the documents.",
        "届け出られた口座を、二人で確かめる。",
    ),
    "P25": StateWords(
        "支給準備中",
        "お手続きは済んでいます。お支払いの準備をしています。",
        "Nothing more is needed from you. We are preparing your payment.",
        "支給予定情報を作り、区の支給判定を受ける。",
    ),
    "C20": StateWords(
        "確認書発送済",
        "確認書をお送りしています。{due}までにご返送ください。まだ受け付けていません。",
        "We have sent you a confirmation form. Please return it by {due_en}. We have not received it yet.",
        "返送を待つ。届いていないときは再発行を案内する。",
    ),
    "C21": StateWords(
        "確認書返戻",
        "お送りした確認書が、届かずに戻っています。お届け先を区で確認し、あらためてお送りします。",
        "The form we sent you was returned undelivered. The ward office will check your address and send it again.",
        "いまの住まいを聞いて書き留め、再発行を頼む。",
    ),
    "C22": StateWords(
        "受付済",
        "{received}に確認書を受け付けました。これから内容を確認します。",
        "We received your form on {received_en} and will review it.",
        "審査をする。",
    ),
    "C23": StateWords(
        "審査中",
        "{received}に書類を受け付け、いま内容を確認しています。",
        "We received your papers on {received_en} and are reviewing them now.",
        "審査が終わるのを待つ。",
    ),
    "C24": StateWords(
        "不備",
        "{received}に書類を受け付けましたが、足りないものがあります。不備のお知らせをお送りしますので、ご確認ください。",
        "We received your papers on {received_en}, but something is missing. We are sending you a letter about it.",
        "不備のお知らせを送る。足りないものは、いま伝えてよい。",
    ),
    "C25": StateWords(
        "不備通知済",
        "{received}に受け付けた書類に足りないものがあり、お知らせをお送りしています。{correct_by}までにお送りください。",
        "Something was missing from the papers we received on {received_en}, and we have sent you a letter about it. "
        "Please send it by {correct_by_en}.",
        "補正を待つ（期限 {correct_by}）。過ぎると、申請は取り下げたものとみなされる。",
    ),
    "C26": StateWords(
        "補正受付済",
        "お送りいただいた足りない書類を受け付けました。もう一度、内容を確認します。",
        "We have received the missing papers and will review your case again.",
        "もう一度、審査をする。",
    ),
    "C27": StateWords(
        "審査完了",
        "{received}に確認書を受け付け、審査が終わりました。お支払いの準備をしています。",
        "We received your form on {received_en} and have finished the review. We are preparing your payment.",
        "支給予定情報を作り、区の支給判定を受ける。",
    ),
    "C28": StateWords(
        "期限経過",
        "期限までに必要な書類が届かなかったため、受付を終了しています。",
        "The deadline has passed without the papers we needed, so we have closed your case.",
        "事情があるときは、区へつなぐ。",
    ),
    "C29": StateWords(
        "辞退",
        "受け取りを辞退するお申し出を受け付けています。",
        "We have received your request to decline the benefit.",
        "辞退の取りやめを希望されるときは、区へつなぐ。",
    ),
    "J30": StateWords(
        "判定中",
        "お手続きは済んでいます。区で最後の確認をしています。",
        "Nothing more is needed from you. The ward office is making the final check.",
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
    "X60": StateWords(
        "区確認中",
        "お手続きについて、区で確認しています。区からご連絡します。",
        "The ward office is checking your procedure and will contact you.",
        "お悔やみを申し上げ、区へつなぐ。手続の説明はしない。",
    ),
}

#: 待っている日を過ぎた後の言葉（見る日の列と、言葉）。過ぎた日を、これからのことのように言わない。
AFTER_THE_DAY: dict[str, tuple[str, StateWords]] = {
    "P20": (
        "due_on",
        StateWords(
            "お知らせ発送済",
            "支給のお知らせをお送りし、辞退や口座変更の期限（{due}）を過ぎました。お支払いの準備に進みます。",
            "We sent you a notice of payment and the date to decline or change it, {due_en}, has passed. "
            "We are moving on to prepare your payment.",
            "辞退・口座変更を希望されるときは、区へつなぐ。",
        ),
    ),
    "P22": (
        "due_on",
        StateWords(
            "辞退",
            "受け取りを辞退するお申し出を受け付けています。取りやめの期限（{due}）は過ぎています。",
            "We have received your request to decline the benefit. The date to take it back, {due_en}, has passed.",
            "辞退の取りやめを希望されるときは、区へつなぐ。",
        ),
    ),
    "C20": (
        "due_on",
        StateWords(
            "確認書発送済",
            "確認書のご返送の期限は{due}でした。まだ受け付けていません。期限までに出された方は、行き違いのことがあります。",
            "The confirmation form was due by {due_en}. We have not received it yet. "
            "If you posted it by then, it may still be on its way.",
            "期限までに出したと言われたら、届くのを待つ。これから出すと言われたら、区へつなぐ。",
        ),
    ),
    "C25": (
        "correction_due_on",
        StateWords(
            "不備通知済",
            "足りない書類をお送りいただく期限は{correct_by}でした。まだ受け付けていません。期限までに出された方は、行き違いのことがあります。",
            "The missing papers were due by {correct_by_en}. We have not received them yet. "
            "If you posted them by then, they may still be on their way.",
            "期限までに出したと言われたら、届くのを待つ。これから出すと言われたら、区へつなぐ。",
        ),
    ),
    **{
        state: (
            "transferred_on",
            StateWords(
                "振込予定",
                "お支払いが決まり、{paid}を振込日として手続きをしました。いま、入金の結果を確認しています。",
                "Your payment was approved for transfer on {paid_en}. We are now checking the result with the bank.",
                "銀行の結果を待つ。入金が見当たらないと言われたら、区へつなぐ。",
            ),
        )
        for state in ("F40", "F41")
    },
}


EVENT_NAMES = {
    "loaded": "区から受渡",
    "notice_mailed": "お知らせの発送",
    "letter_mailed": "確認書の発送",
    "mail_returned": "返戻",
    "form_received": "確認書の収受",
    "form_in_time": "期限の内の消印の収受",
    "objection_received": "申し立ての収受",
    "received_late": "期限の後の収受",
    "refusal_received": "辞退の受付",
    "refusal_withdrawn": "辞退の取りやめ",
    "correction_received": "補正の収受",
    "account_received": "口座の届出の収受",
    "account_asked": "口座再届出の依頼",
    "review_started": "審査の開始",
    "deficiency_found": "不備",
    "deficiency_notified": "不備の通知",
    "review_finished": "審査完了",
    "account_verified": "口座の確認",
    "notice_deadline_passed": "辞退期限の経過",
    "deadline_passed": "返送期限の経過",
    "correction_deadline_passed": "補正期限の経過",
    "planned": "支給予定情報の提出",
    "death_told": "受給者死亡の申出",
    "appeal_accepted": "区の受理（期限の後の申し出）",
    "verdict_payable": "支給可",
    "verdict_held": "保留",
    "verdict_blocked": "不可",
    "filed": "振込データ作成",
    "sent": "銀行送付",
    "credited": "振込済",
    "transfer_failed": "振込不能",
    "recall_asked": "区の確認",
    "ended": "支給しない決定",
    "withdrawn": "区へ引上げ",
    "reissued": "手紙の出し直し",
    "reversed": "取消",
}
