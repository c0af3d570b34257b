from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import PolicyError
from llmspell_tools.communication._sql import Dialect, SqlError, read_statement, tokens
from llmspell_tools.communication._sql_rules import check_statement, kind_of

DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql", "mysql")


def words(sql: str, dialect: Dialect = "sqlite") -> list[str]:
    return [token.text for token in tokens(sql, dialect) if token.kind in ("word", "name")]


def test_strings_and_comments_are_no_code() -> None:
    text = "SELECT 'a; DROP' || \"b c\" /* x */ FROM t -- ; y\n WHERE a = 'it''s'"
    assert words(text) == ["select", "b c", "from", "t", "where", "a"]
    assert words("select [a b], `c``d`") == ["select", "a b", "c`d"]
    assert words("/* a /* b */ c */ select $x$ drop $x$ 1", "postgresql") == ["select"]
    assert words(r"select E'\' drop ' a", "postgresql") == ["select", "a"]
    assert words('select 1 # drop\n, "a" --2\n', "mysql") == ["select"]
    assert words(r"select 'a\' drop ' b", "mysql") == ["select", "b"]


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("sqlite", "select 1; select 2"),
        ("sqlite", ""),
        ("sqlite", " ; -- nothing"),
        ("sqlite", "select 'open"),
        ("sqlite", "select 1 \0"),
        ("sqlite", "x" * 100_001),
        ("postgresql", "select $a$ open"),
        ("postgresql", "/* open /* */ select 1"),
        ("postgresql", 'select U&"\\0070g_read_file"(1)'),
        ("postgresql", "select E'a'\n'\\' || ' || pg_read_file($$/etc/passwd$$) || ' '"),
        ("mysql", "select 1 /*! into outfile '/tmp/x' */"),
        ("mysql", "select 1 /*M!100000 into outfile '/tmp/x' */"),
    ],
)
def test_what_nobody_can_be_sure_about_is_refused(dialect: Dialect, sql: str) -> None:
    with pytest.raises(SqlError):
        read_statement(sql, dialect)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1;", "select"),
        ("(select 1) union (select 2)", "select"),
        ("with x as (select replace(a, 'b', 'c') from t) select * from x", "select"),
        ("with x as (delete from t returning *) select * from x", "delete"),
        ("VALUES (1)", "select"),
        ("explain select 1", "select"),
        ("explain analyze delete from t", "delete"),
        ("insert into t values (1)", "insert"),
        ("/* x */ UPDATE t SET a = 1", "update"),
        ("truncate t", "delete"),
        ("create unique index i on t (a)", "ddl"),
        ("create table if not exists t (a int)", "ddl"),
        ("drop view v", "ddl"),
        ("alter table t add column a int", "ddl"),
    ],
)
def test_what_a_statement_does(sql: str, kind: str) -> None:
    statement = read_statement(sql, "postgresql")
    check_statement(statement)
    assert kind_of(statement) == kind
    assert statement.writes == (kind != "select")


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("postgresql", "copy t to program 'id'"),
        ("postgresql", "copy t from '/etc/passwd'"),
        ("postgresql", "select pg_read_file('/etc/passwd')"),
        ("postgresql", "select pg_catalog.\"pg_read_file\" /* x */ ('/etc/passwd')"),
        ("postgresql", "select PG_LS_DIR('/')"),
        ("postgresql", "select lo_import('/etc/passwd')"),
        ("postgresql", "select * from dblink('host=10.0.0.1', 'select 1') as t(a int)"),
        (
            "postgresql",
            "select query_to_xml('select pg_read_file(''/etc/passwd'')', true, true, '')",
        ),
        ("postgresql", "select set_config('role', 'postgres', false)"),
        ("postgresql", "select pg_terminate_backend(1)"),
        ("postgresql", "select * from pg_shadow"),
        ("postgresql", "do $$ begin perform 1; end $$"),
        ("postgresql", "set role postgres"),
        ("postgresql", "create function f() returns int language sql as 'select 1'"),
        ("postgresql", "create or replace procedure f() language sql as 'select 1'"),
        ("postgresql", "create extension dblink"),
        ("postgresql", "create trigger t before insert on t execute function f()"),
        ("postgresql", "alter system set archive_command = 'id'"),
        ("postgresql", "alter role test superuser"),
        ("postgresql", "drop database x"),
        ("postgresql", "load 'x.so'"),
        ("postgresql", "listen x"),
        ("postgresql", "begin"),
        ("postgresql", "grant all on t to public"),
        ("sqlite", "attach '/tmp/x.db' as x"),
        ("sqlite", "detach x"),
        ("sqlite", "select load_extension('x.so')"),
        ("sqlite", "select writefile('x', 'y')"),
        ("sqlite", "vacuum into '/tmp/x.db'"),
        ("sqlite", "create role x"),
        ("mysql", "select load_file('/etc/passwd')"),
        ("mysql", "select 1 into outfile '/tmp/x'"),
        ("mysql", "select 1 into DUMPFILE '/tmp/x'"),
        ("mysql", "load data local infile '/etc/passwd' into table t"),
        ("mysql", "select sleep(100)"),
        ("mysql", "call p()"),
        ("mysql", "pragma x"),
        ("mysql", "install plugin x soname 'x.so'"),
    ],
)
def test_what_reaches_beyond_the_data_is_refused(dialect: Dialect, sql: str) -> None:
    with pytest.raises(PolicyError) as caught:
        check_statement(read_statement(sql, dialect))
    assert caught.value.code == "policy.sql"


def test_names_of_columns_may_be_those_of_functions() -> None:
    for sql in ("select copy, sleep, attach from edit", "select a.pg_read_file from a"):
        check_statement(read_statement(sql, "postgresql"))


@given(st.text(max_size=80), st.sampled_from(DIALECTS))
def test_any_text_is_read_or_refused(text: str, dialect: Dialect) -> None:
    try:
        found = list(tokens(text, dialect))
    except SqlError:
        return
    at = 0
    for token in found:
        assert token.start >= at
        assert token.end > token.start
        at = token.end
