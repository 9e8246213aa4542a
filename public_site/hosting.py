"""Where a site is hosted: its own address, and the configuration of nginx for it."""

from __future__ import annotations

import re
from pathlib import Path

from portal.domain.errors import BadInput
from public_site.forget import GONE_MAP, save_whole
from public_site.pages import GONE, MISSING
from public_site.serve import HEADERS, TYPES

ADDRESS = "address"  # a file beside the releases: the address of the site, with a slash at its end
_ADDRESS = re.compile(r"https?://([0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?\.)*[0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?(:[0-9]{1,5})?/", re.ASCII)
_HOST = re.compile(r"([0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?\.)*[0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?", re.ASCII)
_PATH = re.compile(r"/[0-9A-Za-z._/+-]+", re.ASCII)


def load_address(site: Path) -> str:
    """The site's own address, or "" where nobody said: feeds are then relative, and there are no site maps."""
    try:
        return (site / ADDRESS).read_text("ascii").strip()
    except FileNotFoundError:
        return ""


def save_address(site: Path, address: str) -> str:
    """Note the site's address for the releases to come; how it was understood. BadInput for anything but a host's root."""
    whole = address.strip().lower().rstrip("/") + "/"
    if not _ADDRESS.fullmatch(whole):
        raise BadInput(f"网站地址“{address}”不对。请写完整的地址，例如 https://gs.example.gov.cn ，公示网站放在单独的域名下。")
    site.mkdir(parents=True, exist_ok=True)
    save_whole(site / ADDRESS, whole.encode())
    return whole


def nginx_config(site: Path, host: str, port: int = 80) -> str:
    """The configuration of nginx for a site, to be included in its `http` block.

    The site has a host name of its own, so that no cookie or script of another service ever meets it. HTTPS is the
    bureau's: certificate and port go where the comment says. BadInput for a host or folder that cannot be written so.
    """
    if not _HOST.fullmatch(host):
        raise BadInput(f"主机名“{host}”不对。请写公示网站单独的域名，例如 gs.example.gov.cn 。")
    folder = str(site.resolve())
    if not _PATH.fullmatch(folder):
        raise BadInput(f"网站所在的文件夹“{folder}”含有空格或其他符号，nginx 的配置写不了。请换一个文件夹。")
    headers = "\n".join(f'    add_header {name} "{value}" always;' for name, value in HEADERS.items())
    kinds: dict[str, list[str]] = {}
    for end, kind in TYPES.items():
        if end != ".gz":
            kinds.setdefault(kind.split(";")[0], []).append(end[1:])
    types = "\n".join(f"        {kind} {' '.join(ends)};" for kind, ends in kinds.items())
    return f"""# 公示网站 {host}：由 portal site nginx 生成，放进 nginx 的 http 段（例如 /etc/nginx/conf.d/）。
# 撤回或期满的地址在 {GONE_MAP} 里，答 410。发布、撤回以后执行 nginx -s reload，使这份清单生效（不执行时答 404）。
map_hash_bucket_size 256;
map_hash_max_size 65536;
map $uri $mingcha_gone {{
    default 0;
    include {folder}/{GONE_MAP};
}}

server {{
    listen {port};
    # 用 HTTPS 时改为 listen 443 ssl，并写明 ssl_certificate 和 ssl_certificate_key。
    server_name {host};
    root {folder}/current;
    index index.html;
    charset utf-8;
    charset_types text/css text/javascript text/csv text/plain text/tab-separated-values text/x-python application/jsonl application/xml;
    server_tokens off;
    access_log off;
    autoindex off;
    etag on;
    gzip_static on;
    gzip on;
    gzip_vary on;
    gzip_min_length 2048;
    gzip_types text/css text/javascript text/csv text/plain text/tab-separated-values text/x-python application/json application/jsonl application/xml image/svg+xml;
    types {{
{types}
    }}
    default_type application/octet-stream;
    # 切换版本只换一个链接：打开的文件不缓存，下一次请求就是新版本。
    open_file_cache off;
    add_header Cache-Control "no-cache" always;
{headers}

    if ($mingcha_gone) {{
        return 410;
    }}
    error_page 404 @missing;
    error_page 410 @gone;
    location @missing {{
        try_files /{MISSING} =404;
    }}
    location @gone {{
        try_files /{GONE} =410;
    }}
    location ~ ^/(404|410)\\.html {{
        return 404;
    }}
    location / {{
        limit_except GET {{
            deny all;
        }}
        try_files $uri $uri/index.html =404;
    }}
    location = /log/checkpoint {{
        types {{ }}
        default_type text/plain;
    }}
    location ~ /\\. {{
        return 404;
    }}
}}
"""
