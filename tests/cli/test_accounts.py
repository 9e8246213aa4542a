"""portal accounts: the same acts as on the pages, by whom `--as` names."""

import re

from tests.office import query


def test_an_account_is_made_approved_used_and_closed_again(filled_portal):
    portal = filled_portal
    said = portal.well("accounts", "create", "zhang.san", "张三", "--reason", "新录用", "--as", "sysadmin")
    assert re.search(r"zhang\.san +[a-z2-9]{4}(-[a-z2-9]{4}){3}", said)
    number = re.search(r"^  (\d+)　新建账号　zhang.san（张三）　sysadmin：新录用$", portal.well("accounts", "pending", "--as", "secadmin"), re.M)[1]
    assert "三员互相分开" in portal.refused("accounts", "decide", number, "--roles", "planner", "auditor", "--as", "secadmin")
    assert "没有这项权限" in portal.refused("accounts", "decide", number, "--roles", "planner", "--as", "sysadmin")
    portal.well("accounts", "decide", number, "--roles", "planner", "--as", "secadmin")
    assert "zhang.san　张三　望溪县市场监督管理局　计划员　启用" in portal.well("accounts", "list", "--role", "planner", "--as", "auditor")
    portal.well("accounts", "change", "zhang.san", "--name", "张三丰", "--as", "sysadmin")
    portal.well("accounts", "roles", "zhang.san", "reviewer", "--reason", "转岗", "--as", "secadmin")
    assert "没有启用动态口令" in portal.refused("accounts", "reset-factor", "zhang.san", "--reason", "x", "--as", "sysadmin")
    assert "密码已重置" in portal.well("accounts", "reset", "zhang.san", "--reason", "忘了", "--as", "sysadmin")
    assert "等安全管理员批准后换上" in portal.well("accounts", "reset", "auditor", "--reason", "忘了", "--as", "sysadmin")
    portal.well("accounts", "disable", "zhang.san", "--reason", "调离", "--as", "sysadmin")
    again = re.search(r"编号 (\d+)", portal.well("accounts", "enable", "zhang.san", "--reason", "回来", "--as", "sysadmin"))[1]
    assert "写明理由" in portal.refused("accounts", "decide", again, "--refuse", "--as", "secadmin")
    portal.well("accounts", "decide", again, "--refuse", "--answer", "没有调令", "--as", "secadmin")
    assert query(portal.data, "SELECT name, roles FROM account WHERE login = 'zhang.san'") == [("张三丰", '["reviewer"]')]


def test_the_login_rules_are_shown_and_set(filled_portal):
    assert re.search("密码规则 +长度优先", filled_portal.well("accounts", "policy", "--as", "sysadmin"))
    said = filled_portal.well("accounts", "policy", "--passwords", "dengbao3", "--factor", "on", "--reason", "测评", "--as", "secadmin")
    assert re.search("密码规则 +等保三级", said) and re.search("动态口令 +抽取、公示、管理的人要求", said)
    assert "没有这项权限" in filled_portal.refused("accounts", "policy", "--factor", "off", "--reason", "x", "--as", "planner")


def test_an_installation_from_before_gets_its_two_administrators_from_init(filled_folder):
    from tests.cli.command import Portal

    # accounts are never deleted; what an older program made simply has no such roles
    query(filled_folder, "UPDATE account SET roles = '[\"reviewer\"]' WHERE roles LIKE '%admin%'")
    portal = Portal(filled_folder, owner=True)
    said = portal("init").out
    for login in ("359921-sysadmin", "359921-secadmin"):
        assert re.search(rf"{login}（.管理员|{login}（", said), said
    assert portal("init").out.startswith("已是最新")
