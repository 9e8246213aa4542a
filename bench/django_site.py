"""The directory's page in Django, for bench/django_page.py; run by a Python that has Django and gunicorn, which the project does not.

    python bench/django_site.py prepare CLIENTS    makes Django's own tables in the database, prints a session key a line
    python bench/django_site.py serve PORT         serves until stopped

LOAD_DATABASE is sqlite:///PATH or a postgresql:// address whose role may make tables. Imports nothing of the project.
"""

import os
import sys
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings

URL = os.environ["LOAD_DATABASE"]
if URL.startswith("sqlite"):
    DATABASE = {"ENGINE": "django.db.backends.sqlite3", "NAME": URL.removeprefix("sqlite:///"), "CONN_MAX_AGE": None}
else:
    parts = urlsplit(URL)
    DATABASE = {
        "ENGINE": "django.db.backends.postgresql", "NAME": parts.path.lstrip("/"), "USER": parts.username, "PASSWORD": parts.password or "",
        "HOST": parse_qs(parts.query).get("host", [parts.hostname])[0], "CONN_MAX_AGE": None,
    }  # fmt: skip

PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" type="image/svg+xml" href="/static/icon.svg"><link rel="stylesheet" href="/static/tokens.css"><link rel="stylesheet" href="/static/base.css">
<link rel="stylesheet" href="/static/portal.css"><script src="/static/htmx.min.js" defer></script><script src="/static/portal.js" defer></script>
<title>检查对象名录 - 明查</title></head>
<body class="portal"><div class="top"><header class="mast"><a class="skip hide" href="#main">跳到正文</a><a class="name" href="/">明查</a>
<p class="dim bureau">{{ bureau.name }} 双随机抽查平台</p>
<form role="search" action="/directory" method="get"><label class="hide" for="find">查找检查对象</label><input id="find" name="q" type="search" placeholder="企业名称或统一社会信用代码" maxlength="80"></form>
<nav aria-label="账户" class="row"><span>{{ request.user.username }}</span><form method="post" action="/senior" class="as-link"><input type="hidden" name="then" value="{{ request.path }}"><button>长者模式</button></form>
<a href="/sessions">我的登录</a><a href="/password">改密码</a><form method="post" action="/logout" class="as-link">{% csrf_token %}<button>退出</button></form></nav></header></div>
<nav class="rail" aria-label="工作"><ul><li><a href="/"><span>今日</span></a></li></ul>
<ol>{% for n, word, href, counted in rail %}<li><a href="{{ href }}"><i>{{ n }}</i><span>{{ word }}</span>{% if counted %}<span>{{ counted }}</span>{% endif %}</a></li>{% endfor %}</ol>
<ul>{% for word, href in beside %}<li><a href="{{ href }}"{% if href == request.path %} aria-current="page"{% endif %}><span>{{ word }}</span></a></li>{% endfor %}</ul></nav>
<main id="main"><div class="head"><div><h1>检查对象名录</h1><p class="dim">{{ total }} 户{% for status, n in statuses %}{% if status != "存续" %}，{{ status }} {{ n }} 户{% endif %}{% endfor %}。</p></div></div>
<form class="filter" method="get" action="/directory" role="search" aria-label="筛选" hx-get="/directory" hx-target="#list" hx-swap="outerHTML" hx-push-url="true" hx-trigger="submit, change, keyup changed delay:300ms from:#f-q" hx-sync="this:replace">
<div><label for="f-q">名称或代码</label><input id="f-q" name="q" type="search" value="{{ request.GET.q|default:"" }}" maxlength="80"></div>
{% for name, label, options in choices %}<div><label for="f-{{ name }}">{{ label }}</label><select id="f-{{ name }}" name="{{ name }}"><option value="">全部</option>{% for option, words in options %}<option value="{{ option }}">{{ words }}</option>{% endfor %}</select></div>{% endfor %}
<details class="columns"><summary class="small">选择列</summary><fieldset class="row"><legend class="hide">要显示的列</legend>{% for column in every %}<label class="line"><input type="checkbox" name="col" value="{{ column.0 }}" checked> {{ column.1 }}</label>{% endfor %}</fieldset></details>
<div class="row"><button>筛选</button><a class="small" href="/directory">清除</a></div></form>
<div id="list" class="flow"><div class="row list-head"><p class="small" role="status">共 <b>{{ total }}</b> 户</p><p class="end small noprint"><a href="/directory?export=xlsx">导出 Excel（{{ total }} 行）</a></p></div>
<div class="scroll stick" tabindex="0" role="region" aria-label="检查对象名录"><table>
<thead><tr>{% for column in columns %}<th scope="col" class="{% if column.2 == "number" %}n{% endif %}">{% if column.2 != "list" %}<a href="/directory?sort={{ column.0 }}">{{ column.1 }}</a>{% else %}{{ column.1 }}{% endif %}</th>{% endfor %}</tr></thead>
<tbody>{% for row in rows %}<tr><td class="nm"><a href="{% url "entity" row.code %}">{{ row.name }}</a></td><td class="code">{{ row.code }}</td><td class="nw">{{ row.type }}</td><td class="nw">{{ row.organisation.name }}</td><td class="nw opt">{{ row.town }}</td><td class=" opt">{{ row.tag_list|join:"、" }}</td><td class="tagged">{% if row.status == "存续" %}{{ row.status }}{% else %}<span class="tag off">{{ row.status }}</span>{% endif %}</td></tr>
{% endfor %}</tbody></table></div>
<nav class="row" aria-label="翻页">{% if next %}<a class="btn" href="/directory?after={{ next|urlencode }}">下一页</a>{% endif %}<span class="end small">每页 {% for one in sizes %}<a href="/directory?size={{ one }}">{{ one }}</a>　{% endfor %}户</span></nav></div></main>
<footer><p>{{ bureau.name }}　{% now "Y年n月j日 H:i" %}　页面编号 {{ request_id }}，反馈问题时请一并提供。</p></footer></body></html>
"""

settings.configure(
    DEBUG=False, SECRET_KEY="for a bench", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, DATABASES={"default": DATABASE}, USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", LOGIN_URL="/login",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware", "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware", "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"],
            "loaders": [("django.template.loaders.cached.Loader", [("django.template.loaders.locmem.Loader", {"page.html": PAGE})])],
        },
    }],
)  # fmt: skip
django.setup()

import json  # noqa: E402
import secrets  # noqa: E402

from django.contrib.auth.decorators import login_required  # noqa: E402
from django.db import models  # noqa: E402
from django.db.models import Count, Sum  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.urls import path  # noqa: E402


class Organisation(models.Model):
    code, name = models.TextField(), models.TextField()

    class Meta:
        app_label, managed, db_table = "load", False, "organisation"


class Entity(models.Model):
    code, kind, name, type, status, town, address = (models.TextField() for _ in range(7))
    organisation = models.ForeignKey(Organisation, models.DO_NOTHING, db_column="organisation")
    registered_on = models.DateField()
    tags = models.TextField()

    class Meta:
        app_label, managed, db_table = "load", False, "entity"

    @property
    def tag_list(self):
        return json.loads(self.tags)


class Tally(models.Model):
    organisation = models.IntegerField(primary_key=True)
    town, type, status = (models.TextField() for _ in range(3))
    n = models.IntegerField()

    class Meta:
        app_label, managed, db_table = "load", False, "entity_tally"


class Round(models.Model):
    state = models.TextField()

    class Meta:
        app_label, managed, db_table = "load", False, "round"


class Record(models.Model):
    state = models.TextField()

    class Meta:
        app_label, managed, db_table = "load", False, "record"


STEPS = [(n, word, f"/step/{n}") for n, word in enumerate("计划 名录 抽取 入企 匹配 录入 审核 公示 存证 核验".split(), 1)]
BESIDE = [(word, f"/beside/{n}" if word != "检查对象" else "/directory") for n, word in enumerate("后续处置 统计 导入 检查对象 专项库 执法人员 事项清单 检查表单 业务模块 后台任务".split())]
COLUMNS = [
    ("name", "名称", "name"), ("code", "统一社会信用代码", "code"), ("type", "主体类型", "text"), ("station", "属地", "text"), ("town", "镇街", "text"),
    ("tags", "专项库", "list"), ("status", "登记状态", "words"),
]  # fmt: skip


def _tally(by):
    return list(Tally.objects.values_list(by).annotate(sum=Sum("n")).order_by(by))


@login_required
def directory(request):
    rows = Entity.objects.select_related("organisation").order_by("code")
    if after := request.GET.get("after"):
        rows = rows.filter(code__gt=after)
    rows = list(rows[:51])
    waiting = dict(Record.objects.values_list("state").annotate(Count("id")))
    drafts = Round.objects.filter(state__in=("draft", "committed")).count()
    organisations = list(Organisation.objects.order_by("code"))
    statuses, towns, types = _tally("status"), _tally("town"), _tally("type")
    return render(request, "page.html", {
        "rows": rows[:50], "next": rows[49].code if len(rows) > 50 else "", "bureau": organisations[0], "statuses": statuses, "total": sum(n for _, n in statuses),
        "choices": [("town", "镇街", [(one, one) for one, _ in towns]), ("type", "主体类型", [(one, one) for one, _ in types]), ("status", "登记状态", [(one, one) for one, _ in statuses]), ("org", "属地", [(one.code, one.name) for one in organisations])],
        "columns": COLUMNS, "every": [*COLUMNS, ("address", "地址", ""), ("registered_on", "成立日期", "")], "beside": BESIDE, "sizes": (50, 200, 2000), "request_id": secrets.token_hex(6),
        "rail": [(*step, drafts if step[0] == 3 else waiting.get("submitted", 0) if step[0] == 7 else 0) for step in STEPS],
    })  # fmt: skip


urlpatterns = [path("directory", directory), path("directory/<str:code>", directory, name="entity")]


def prepare(clients):
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    user, _ = User.objects.get_or_create(username="planner")
    for _ in range(clients):
        session = SessionStore()
        session.update({SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend", HASH_SESSION_KEY: user.get_session_auth_hash()})
        session.create()
        print(session.session_key)


def serve(port):
    from django.core.wsgi import get_wsgi_application
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):
        def load_config(self):
            for name, value in {"bind": f"127.0.0.1:{port}", "workers": 1, "worker_class": "gthread", "threads": 4, "keepalive": 60, "loglevel": "warning"}.items():
                self.cfg.set(name, value)

        def load(self):
            return get_wsgi_application()

    Server().run()


if __name__ == "__main__":
    prepare(int(sys.argv[2])) if sys.argv[1] == "prepare" else serve(int(sys.argv[2]))
