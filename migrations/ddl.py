"""台帳の仕掛け（トリガー）の文。表の制約では言えない「書き足すだけ」「決まった進み方だけ」を守る。

PostgreSQL では権限（GRANT）でも守る。仕事の接続は、表の持ち主でない役割で動く（docs/decisions/0016）。トリガーは持ち主の
書き換えを、権限はトリガーを外しても残る書き換えを断る。
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

_PG_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP; END $$
"""


def prepare(dialect: str) -> Iterator[str]:
    """トリガーが使う関数（PostgreSQL だけ）。"""
    if dialect == "postgresql":
        yield _PG_FUNCTION


def refuse(dialect: str, table: str, deeds: Iterable[str]) -> Iterator[str]:
    """この表への UPDATE や DELETE を断る。"""
    for deed in deeds:
        name = f"{table}_refuses_{deed.lower()}"
        if dialect == "postgresql":
            yield f"CREATE TRIGGER {name} BEFORE {deed} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        else:
            yield (
                f"CREATE TRIGGER {name} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {deed} refused'); END"
            )
    if dialect == "postgresql":
        yield (
            f"CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def refuse_while_it_stands(dialect: str, table: str, parent: str, key: str) -> Iterator[str]:
    """親の行（`parent` の、同じ `key`）が残っている間、この表の行を消させない。親と一緒に消える（CASCADE）のは通す。"""
    name, stands = f"{table}_refuses_delete", f"EXISTS (SELECT 1 FROM {parent} WHERE {key} = OLD.{key})"  # noqa: S608  # 名はコードから来る
    says = f"{table} is append-only: DELETE refused"
    if dialect == "postgresql":
        yield (
            f"CREATE OR REPLACE FUNCTION refuse_while_{parent}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {stands} THEN RAISE EXCEPTION '% is append-only: DELETE refused', TG_TABLE_NAME; END IF; "
            "RETURN OLD; END $$"
        )
        yield (f"CREATE TRIGGER {name} BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_while_{parent}()")
    else:
        yield f"CREATE TRIGGER {name} BEFORE DELETE ON {table} WHEN {stands} BEGIN SELECT RAISE(ABORT, '{says}'); END"


def only_changes(
    dialect: str, table: str, fixed: Iterable[str], column: str, steps: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """`fixed` の列は変わらず、`column` は `steps` のとおりにだけ進む。"""
    distinct = "IS DISTINCT FROM" if dialect == "postgresql" else "IS NOT"
    changed = " OR ".join(f"NEW.{name} {distinct} OLD.{name}" for name in fixed)
    allowed = " OR ".join(f"(OLD.{column} = '{old}' AND NEW.{column} = '{new}')" for old, new in steps)
    condition = f"({changed}) OR NOT (OLD.{column} = NEW.{column} OR {allowed})"
    name = f"{table}_moves_only_forward"
    if dialect == "postgresql":
        yield (
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({condition}) "
            "EXECUTE FUNCTION refuse_change()"
        )
    else:
        yield (
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: this step is not in the table of transitions'); END"
        )


_SEALED = "EXISTS (SELECT 1 FROM staff WHERE id = NEW.actor AND kind = 'sealed')"
_COPY = """
INSERT INTO break_glass_log (sequence, release_id, at, actor, terminal, action, subject, reason, detail, hash)
VALUES (NEW.sequence, (SELECT max(a.release_id) FROM break_glass_approval a JOIN break_glass b ON b.id = a.release_id
                       WHERE b.account = NEW.actor),
        NEW.at, NEW.actor, NEW.terminal, NEW.action, NEW.subject, NEW.reason, NEW.detail, NEW.hash);
"""


def copy_sealed(dialect: str) -> Iterator[str]:
    """封印した ID の人が監査ログに残した行を、二つめの記録に写す。どの道を通っても写るように、台帳の仕掛けにする。"""
    if dialect == "postgresql":
        yield (
            "CREATE FUNCTION copy_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {_SEALED} THEN {_COPY} END IF; RETURN NULL; END $$"
        )
        yield (
            "CREATE TRIGGER audit_log_copies_sealed AFTER INSERT ON audit_log "
            "FOR EACH ROW EXECUTE FUNCTION copy_sealed()"
        )
    else:
        yield f"CREATE TRIGGER audit_log_copies_sealed AFTER INSERT ON audit_log WHEN {_SEALED} BEGIN {_COPY} END"


def uncopy_sealed(dialect: str) -> Iterator[str]:
    """写す仕掛けを外す。"""
    if dialect == "postgresql":
        yield "DROP TRIGGER audit_log_copies_sealed ON audit_log"
        yield "DROP FUNCTION copy_sealed()"
    else:
        yield "DROP TRIGGER audit_log_copies_sealed"


#: 役割はサーバー全体に一つである。いくつもの台帳が同時に移行しても、先に作った者のものを使う。
_PG_ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    BEGIN
      CREATE ROLE {role} NOLOGIN;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role {role} does not exist; ask the administrator: CREATE ROLE {role} NOLOGIN';
    END;
  END IF;
  IF NOT pg_has_role(current_user, '{role}', CASE WHEN current_setting('server_version_num')::int < 160000
                                              THEN 'MEMBER' ELSE 'SET' END) THEN
    BEGIN
      EXECUTE format('GRANT {role} TO %I', current_user);
    EXCEPTION WHEN unique_violation THEN NULL;
    END;
  END IF;
END $$
"""


def grant(dialect: str, line: str, changing: Mapping[str, str]) -> Iterator[str]:
    """仕事の役割に渡す権限（PostgreSQL だけ）: 読む、足す、`changing` の表を決まったとおりに変える。表は作れない。

    `changing` は表から権限の文へ（例: `UPDATE (state)`）。新しい表も、この移行の中で作ったものは読んで足せる。
    """
    if dialect != "postgresql":
        return
    role = f"benefit_{line}_app"
    yield _PG_ROLE.format(role=role)
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    yield f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {role}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"
    yield f"REVOKE INSERT ON alembic_version_{line} FROM {role}"
    for table, deeds in changing.items():
        yield f"GRANT {deeds} ON {table} TO {role}"


def revoke(dialect: str, line: str) -> Iterator[str]:
    """渡した権限を戻す。役割は、ほかの台帳も使うので残す。"""
    if dialect == "postgresql":
        role = f"benefit_{line}_app"
        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"
        yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}"
        yield f"REVOKE USAGE ON SCHEMA public FROM {role}"
