"""同梱の変換の一覧。区の TOML で、同じ形の対応表を足せる。"""

from __future__ import annotations

from benefit.records import convenience_store, counter, mobile_register, payeasy, standard_system
from benefit.records.layout_conversion import Conversion, Rule, constant, given, take

#: 枠の見出しは、作る日・送り主・収納機関・利用区分を、操作する人が渡す。
_HEADER = {name: given(name) for name in ("made_on", "agent_code", "biller_code", "usage")}
_SAME_LEVY = tuple(
    name for name in payeasy.UPLOAD.data.names if name != "change_kind" and name in standard_system.LEVIES.data.names
)


def _upload(kind: str, name: str) -> Conversion:
    fields: dict[str, Rule] = {field: take(field) for field in _SAME_LEVY}
    fields["change_kind"] = constant(kind)
    source, target = standard_system.LEVIES.id, payeasy.UPLOAD.id
    return Conversion(
        f"levies-to-payeasy-{name}", f"標準システムの調定 → ペイジー（{name}）", source, target, fields, _HEADER
    )


_TO_STANDARD: dict[str, Rule] = {
    "data_kind": take("data_kind"),
    "channel": constant(""),
    "account_title": constant(""),
    "fiscal_year": constant(""),
    "term": constant(""),
    "payment_key": constant(""),
    "confirmation_number": constant(""),
    "payment_class": constant(""),
    "amount_yen": take("amount_yen"),
    "late_fee_yen": constant(0),
    "bank_code": constant(""),
    "place_code": constant(""),
    "paid_on": take("paid_on"),
    "paid_at": constant(""),
    "settles_on": constant(""),
    "biller_number": constant(""),
    "means": constant(""),
}


def _to_standard(source: str, title: str, **fields: Rule) -> Conversion:
    made = {**_TO_STANDARD, "channel": constant(source), **fields}
    return Conversion(
        f"{source}-to-standard", f"{title} → 標準システムの収納消込", source, "standard-paid", made, _HEADER
    )


def _barcode(**more: Rule) -> dict[str, Rule]:
    return {"payment_key": take("barcode"), "fiscal_year": take("slip_year"), **more}


def _counter(source: str, title: str) -> Conversion:
    return _to_standard(
        source,
        title,
        # 窓口の収入済データは、金融機関が締めた後の確報だけである。
        data_kind=constant("02"),
        amount_yen=take("paid_yen"),
        late_fee_yen=take("late_fee_yen"),
        account_title=take("account_title"),
        fiscal_year=take("fiscal_year"),
        term=take("term"),
        payment_key=take("notice_number"),
        bank_code=take("bank_code"),
        place_code=take("branch_code"),
        means=take("entry_kind"),
    )


_store = _barcode(
    paid_at=take("paid_at"),
    place_code=take("store_code"),
    settles_on=take("settles_on", function="blank_zeros"),
    means=take("barcode_kind"),
)
CONVERSIONS: dict[str, Conversion] = {
    one.id: one
    for one in (
        _upload(payeasy.NEW, "new"),
        _upload(payeasy.CHANGED, "change"),
        _upload(payeasy.DELETED, "delete"),
        Conversion(
            "payeasy-to-levies",
            "ペイジーの調定 → 標準システム（通知書番号はない）",
            payeasy.UPLOAD.id,
            standard_system.LEVIES.id,
            {**{field: take(field) for field in _SAME_LEVY}, "notice_number": constant("0" * 12)},
            _HEADER,
        ),
        _to_standard(
            payeasy.PAID.id,
            payeasy.PAID.title,
            account_title=take("account_title"),
            fiscal_year=take("fiscal_year"),
            term=take("term"),
            payment_key=take("payment_number"),
            confirmation_number=take("confirmation_number"),
            payment_class=take("payment_class"),
            bank_code=take("bank_code"),
            place_code=take("branch_code"),
            paid_at=take("paid_at"),
            settles_on=take("settles_on"),
            biller_number=take("biller_number"),
            means=take("channel"),
        ),
        Conversion(
            "standard-to-payeasy-paid",
            "標準システムの収納消込 → MPN済通（突き合わせの戻し）",
            standard_system.PAID.id,
            payeasy.PAID.id,
            {
                **{
                    name: take(name)
                    for name in (
                        "data_kind",
                        "account_title",
                        "fiscal_year",
                        "term",
                        "amount_yen",
                        "confirmation_number",
                        "payment_class",
                        "bank_code",
                        "paid_on",
                        "paid_at",
                        "settles_on",
                        "biller_number",
                    )
                },
                "payment_number": take("payment_key"),
                "branch_code": take("place_code"),
                "channel": take("means"),
            },
            _HEADER,
        ),
        _to_standard(convenience_store.CONVENIENCE_STORE.id, "コンビニ収納", **_store),
        _to_standard(convenience_store.ELECTRONIC_MONEY.id, "電子マネー収納", **_store),
        _to_standard(
            mobile_register.PAID.id,
            "モバイルレジ",
            **_barcode(
                paid_at=take("paid_at"),
                bank_code=take("bank_code"),
                settles_on=take("remits_on"),
                means=take("means"),
                place_code=take("agent_code"),
            ),
        ),
        *(_counter(layout.id, layout.title) for layout in (counter.GENERAL, counter.CARE, counter.CLEANING)),
    )
}
