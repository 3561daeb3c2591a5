"""口座振替の言葉と決まり（seed 004、formats §2）。

引落日ごとに、納期限の来た調定を、納めた知らせ（速報）の届いていないものだけ、承認された依頼の口座から請求する。
払われなかったものは、決まった回数だけ次の引落日にもう一度請求し、それでも払われなければ納付書を送る。
"""

from __future__ import annotations

from dataclasses import dataclass

ENROLMENT_KINDS = ("開始", "変更", "停止")
ENROLMENT_SOURCES = ("窓口", "ファイル")
DEBIT_FATES = ("送出", "取消")
DEBIT_OUTCOMES = ("振替済", "振替不能", "取消")
#: 全銀の預金種目（口座振替）: 1 普通、2 当座、3 納税準備、9 その他。
DEBIT_ACCOUNT_TYPES = ("1", "2", "3", "9")


@dataclass(frozen=True)
class Left:
    """請求しないわけ。`code` は試験と表が頼る名、`says` は職員が読む文。"""

    code: str
    says: str


#: 請求しないわけ。上にあるものから先に言う。
LEFT_OUT = (
    Left("paid", "もう納められている"),
    Left("promised", "納付の知らせ（速報）が届いている"),
    Left("waiting", "前の請求の結果がまだ届いていない"),
    Left("debited", "前の請求で引き落とした（後で残りが出たものは、納付書で）"),
    Left("letter", "納付書を送った"),
    Left("attempts", "請求できる回数を終えた（納付書を送る）"),
    Left("no_use", "もう一度請求しても払われないコードで返った（口座が変わるまで。納付書を送る）"),
    Left("instalments", "分納の約束がある（納付書で）"),
    Left("deceased", "住民記録で亡くなっている"),
    Left("stopped", "口座振替を停止している"),
    Left("before_start", "納期限が、口座振替の開始より前（開始がまだの人を含む）"),
    Left("bad_account", "口座の銀行か支店が金融機関の表にない"),
    Left("bad_number", "通知書番号が顧客番号の 12 桁に入らない"),
)
LEFT_SAYS = {one.code: one.says for one in LEFT_OUT}
