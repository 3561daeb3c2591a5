"""事故再現を、職員の読める文にする: 端末の行と、一枚の HTML。"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from batch.museum.story import Case, Played, Replayed, Scene

_STYLE = """
body { font: 16px/1.8 "Noto Sans CJK JP", "Noto Sans JP", sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em;
  color: #1a1a1a; background: #fff; }
h1 { font-size: 1.5em; } h2 { margin-top: 2.5em; border-bottom: 2px solid #1a4480; font-size: 1.3em; }
h3 { font-size: 1.1em; }
blockquote { margin: .5em 0; padding: .3em 1em; border-left: 4px solid #1a4480; background: #f2f6fb; }
table { border-collapse: collapse; } th, td { border: 1px solid #767676; padding: .3em .6em; text-align: left; }
.through { color: #b50909; font-weight: bold; }
@media print { h2 { break-before: page; } }
"""
_ABOUT = (
    "架空の小さな区の、使い捨ての台帳の上で、本番と同じサービスを動かした記録です。事例の事実は出典のとおりで、"
    "人・口座・金額は架空です。どの事例も、仕組みの違う二つ以上の守りが、それぞれ一つだけで止めます"
    "（tests/museum が、守りを一つずつ外して確かめています）。"
)


def verdict(replayed: Replayed) -> str:
    """結論を一言で。"""
    if replayed.stopped:
        return "止まりました"
    harmed = any(played.harm for played in replayed.played)
    return "間違った支払が出てしまいました" if harmed else "支払は出ませんでしたが、言っていた守りが働いていません"


def counted(played: Played) -> str:
    """最後に、お金がどこへ何度出たか。"""
    wrong = f"間違った支払: {'、'.join(played.harm)}" if played.harm else "間違った支払 0 件"
    return (
        f"銀行に渡したファイル {played.files_out}、{played.lines_out} 件 {played.yen_out:,} 円。"
        f"一つの権利に払ったのは多くて {played.most_times_paid} 回"
        f"（台帳の生きた支払も多くて {played.most_live_payments}）。{wrong}。"
    )


def facts(case: Case) -> list[tuple[str, str]]:
    """公表された事実と、いまの仕組み。"""
    return [
        ("いつ", case.when),
        ("どれだけ", case.size),
        ("起きたこと", case.happened),
        ("原因", case.cause),
        ("出典", case.source),
        ("いまの仕組み", case.today),
    ]


def stopped_by(scene: Scene) -> list[str]:
    """どの守りが、どこで、何と言って止めたか。"""
    if scene.stop is None:
        return [f"止まりませんでした。止めるはずの守り: {scene.control.name}"]
    held = "" if scene.control.stopped(scene.stop) else "（言っていた守りではありません）"
    return [
        f"止めた守り{held}: {scene.control.name}〔{scene.control.mechanism}〕",
        f"在りか: {scene.control.where}",
        f"断りの言葉（{scene.stop.step}）: 「{scene.stop.says}」",
    ]


def lines(replayed: Replayed) -> list[str]:
    """端末に出す一つの物語。"""
    case = replayed.case
    told = [f"■ {case.place}", *(f"  {name}: {text}" for name, text in facts(case))]
    for number, played in enumerate(replayed.played, 1):
        told += ["", f"▼ 同じ間違いを、いましてみる（{number}）: {played.mistake.does}"]
        for scene in played.scenes:
            if scene.supposes:
                told += ["", f"  ― {scene.supposes}。それでも:"]
            told += [f"    {one}" for one in scene.said]
            told += [f"    → {one}" for one in stopped_by(scene)]
        told += ["", f"  お金: {counted(played)}"]
    return [*told, "", f"結論: {verdict(replayed)}。"]


def listing(cases: Sequence[Case]) -> list[tuple[str, str, str, str]]:
    """一覧の行: 名、いつ、どれだけ、いま止める守りの数。"""
    return [(case.place, case.when, case.size, _controls(case)) for case in cases]


def _controls(case: Case) -> str:
    kinds = {control.mechanism for mistake in case.mistakes for control in mistake.controls}
    return "、".join(sorted(kinds))


def page(done: Sequence[Replayed]) -> str:
    """十の事例の一枚（外のものを一つも読み込まない HTML）。"""
    body = [
        "<h1>事故再現: 公表された給付金の事故を、この仕組みの上でもう一度してみる</h1>",
        f"<p>{_ABOUT}</p>",
        "<table><thead><tr><th scope='col'>事例</th><th scope='col'>いつ</th><th scope='col'>結果</th></tr></thead>",
        "<tbody>",
    ]
    for replayed in done:
        case = replayed.case
        body.append(
            f"<tr><td><a href='#{case.key}'>{escape(case.place)}</a></td><td>{escape(case.when)}</td>"
            f"<td{_mark(replayed)}>{verdict(replayed)}</td></tr>"
        )
    body.append("</tbody></table>")
    for replayed in done:
        body += _chapter(replayed)
    return (
        "<!DOCTYPE html>\n<html lang='ja'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'><title>事故再現</title>"
        f"<style>{_STYLE}</style></head><body><main>\n" + "\n".join(body) + "\n</main></body></html>\n"
    )


def _mark(replayed: Replayed) -> str:
    return "" if replayed.stopped else " class='through'"


def _chapter(replayed: Replayed) -> list[str]:
    case = replayed.case
    told = [f"<h2 id='{case.key}'>{escape(case.place)}</h2>", "<dl>"]
    told += [f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts(case)]
    told.append("</dl>")
    for played in replayed.played:
        told.append(f"<h3>同じ間違いを、いましてみる: {escape(played.mistake.does)}</h3>")
        for scene in played.scenes:
            if scene.supposes:
                told.append(f"<p><strong>{escape(scene.supposes)}。それでも:</strong></p>")
            told.append("<ul>" + "".join(f"<li>{escape(one)}</li>" for one in scene.said) + "</ul>")
            told += [f"<blockquote>{'<br>'.join(escape(one) for one in stopped_by(scene))}</blockquote>"]
        told.append(f"<p>{escape(counted(played))}</p>")
    return [*told, f"<p{_mark(replayed)}>結論: {verdict(replayed)}。</p>"]
