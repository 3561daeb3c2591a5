"""印刷所の結果の言葉: 一枚ごとにしたこと、合わないわけ、束の状態（reliability §4.8）。"""

from __future__ import annotations

from collections.abc import Mapping

#: 一枚のシートにしたこと。刷り上がりの検査（良・損）、損の作り直し、投函。
GOOD, SPOILED, REMADE, POSTED = "良", "損", "再作成", "投函"
SHEET_DEEDS: Mapping[str, str] = {
    GOOD: "刷り上がりがよい",
    SPOILED: "刷り損じた（捨てる）",
    REMADE: "損じた一枚を作り直した（作り直しがまた損じても、でき上がった一枚だけを書く）",
    POSTED: "封入して郵便局に渡した",
}

#: 閉じた（全部が投函された）か、止まった（一つでも合わない）か。
CLOSED, STOPPED = "投函済", "止"
PRINT_STATES = (CLOSED, STOPPED)

UNREADABLE, WRONG_CHECK, UNKNOWN, OTHER_LOT = "読めない番号", "検査の違い", "台帳にない", "別のロット"
OTHER_FORM, VOID_BRANCH, TAKEN_OUT, TWICE = "版の違い", "無効の枝番", "抜いた手紙", "二度"
MISSING, NOT_REMADE, REMADE_WITHOUT_SPOILING = "行がない", "作り直しなし", "損のない作り直し"
NOT_POSTED, POSTED_FROM_NOTHING = "投函なし", "元のない投函"
MIXED_ENVELOPE, SPLIT_LETTER, HALF_ENVELOPE, DATE_ORDER = "ほかの手紙と同じ封筒", "封筒の分かれ", "半分の封筒", "日の順"

#: 合わないわけ → 職員が読む一文。
SHEET_FAULTS: Mapping[str, str] = {
    UNREADABLE: "封入の符号の形（24 桁の数字）でない",
    WRONG_CHECK: "検査が合わない。打ち間違いか、私たちの作った紙でない",
    UNKNOWN: "この台帳にない手紙の番号",
    OTHER_LOT: "別のロットの手紙が混ざった",
    OTHER_FORM: "版・枚数が、渡したロットと違う（古い版で刷ったおそれ）",
    VOID_BRANCH: "出し直して無効になった枝番の手紙を、無効にした日から後に作り直した・投函した",
    TAKEN_OUT: "出す前に組から抜いた手紙。刷ってあれば、損とだけ書いて捨てる",
    TWICE: "同じ一枚の行が二度ある（または良と損の両方にある）",
    MISSING: "良の行も損の行もない。刷られていないか、失われた",
    NOT_REMADE: "損じたのに、作り直しがない",
    REMADE_WITHOUT_SPOILING: "損じていないのに、作り直した（二枚ある）",
    NOT_POSTED: "でき上がったのに、投函がない",
    POSTED_FROM_NOTHING: "良でも再作成でもないのに、投函した",
    MIXED_ENVELOPE: "一つの封筒に、二つの手紙の紙が入った",
    SPLIT_LETTER: "一通の紙が、二つの封筒に分かれた",
    HALF_ENVELOPE: "一通の紙の一部だけが投函された",
    DATE_ORDER: "日の順が合わない（損の前の再作成、でき上がる前の投函、ロットを作る前・今日より後）",
}
