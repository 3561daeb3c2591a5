"""手紙の言葉を職員が直す: 写す、直す、確かめる、見る。直し間違いは、刷る前に、ファイル・行・項目を言って断る。"""

from __future__ import annotations

from pathlib import Path

import pypdfium2

from tests.batch.conftest import Run


def text_of(file: Path) -> str:
    document = pypdfium2.PdfDocument(file)
    found = "".join("".join(page.get_textpage().get_text_range().split()) for page in document)
    document.close()
    return found


def test_a_clerk_copies_edits_checks_and_looks(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    _, told, _ = run("letters", "words", "list")
    assert "confirmation_letter" in told
    assert "区の words/" not in told
    assert run("letters", "words", "copy", "push_notice")[0] == 0
    assert "区の words/" in run("letters", "words", "list")[1]
    assert run("letters", "words", "copy", "push_notice")[0] == 4
    own = home / "words" / "push_notice.toml"
    assert own.stat().st_mode & 0o077 == 0
    own.write_text(own.read_text(encoding="utf-8").replace("でよい方は、", "でよい方は、{{ due }}まで"))
    assert "push_notice.toml" in run("letters", "words", "check")[1]
    assert "でよい方は、{{ due }}まで" in run("letters", "words", "show", "push_notice")[1]
    seen = tmp_path / "seen.pdf"
    assert run("letters", "preview", "push_notice", "--out", seen, "--issued-on", "2024-07-16")[0] == 0
    assert "令和6年8月15日まで手続きは要りません" in text_of(seen)
    assert text_of(seen).count("見本") > 3


def test_a_slip_is_told_by_file_line_and_key_and_stops_the_preview(run: Run, tmp_path: Path) -> None:
    words = tmp_path / "home" / "words"
    for name, old, new in (
        ("claim_form", "{{ ward }}長", "{{ mayor }}長"),
        ("heir_form", 'form_title = "', 'form_titel = "'),
    ):
        run("letters", "words", "copy", name)
        file = words / f"{name}.toml"
        file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    (words / "letter.toml").write_text('title = "x"\n', encoding="utf-8")
    code, told, err = run("letters", "words", "check")
    assert code == 2
    both = told + err
    assert "words/claim_form.toml の 3 行目「to_mayor」: 知らない名前があります（見つかったもの: mayor" in both
    assert "words/heir_form.toml の" in both
    assert "form_titel" in both
    assert "この手紙の言葉はありません（見つかったもの: letter" in both
    code, _, err = run("letters", "preview", "claim_form", "--out", tmp_path / "no.pdf")
    assert (code, (tmp_path / "no.pdf").exists()) == (3, False)
    assert "to_mayor" in err


def test_the_counter_forms_and_enclosures_come_without_a_ledger(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "form.pdf"
    assert run("letters", "preview", "claim_form", "--blank", "--out", out)[0] == 0
    assert "見本" not in text_of(out)
    for which, word in (("mount", "書類の台紙"), ("example", "記入例")):
        assert run("letters", "enclosure", which, "--out", out)[0] == 0
        assert word in text_of(out)
    assert run("letters", "preview", "payment_slip", "--out", out)[0] == 2
    assert run("letters", "preview", "heir_form", "--blank", "--out", out)[0] == 2
