"""Makes one shell script of all commands of the deployment guide, in the guide's order.

What can't be done in a proof as it is written (an editor, a package server, somebody's own site) is replaced by what
comes to the same; a replacement that the guide has no place for is an error. After some headings the script looks
whether the commands did what the guide says.
"""

import re
import shlex
import sys
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs/deployment-guide.zh.md"
NEXT = "9.0.0"
"""The version that the guide upgrades to."""
PACKAGE = '"$SEED"/lib/python3*/site-packages/captchad'
SITE = "http://127.0.0.1:8090/login"
PACKAGES = "git python3 redis-server chromium-headless-shell"
EDIT_CONFIGURATION = (
    r"""sed -i 's/"api_key_required": false/"api_key_required": true/' /etc/captchad/distributed.json"""
)
LIMITS = "/etc/systemd/system/captchad-worker@.service.d/20-local.conf"

REPLACED = {
    # There is no network in the proof's container; everything is installed there.
    "apt-get install git python3-venv redis-server chromium-headless-shell fonts-liberation libatomic1": (
        f"type {PACKAGES}"
    ),
    "git clone <repository-url> captchad\ncd captchad": "cd /srv/captchad",
    "/usr/bin/python3 -m venv .venv\n.venv/bin/pip install '.[worker]'": 'ln -s "$SEED" .venv',
    "git pull origin main": f"sed -i 's/^__version__ = .*/__version__ = \"{NEXT}\"/' {PACKAGE}/__init__.py",
    "（代替重新构建镜像）\n.venv/bin/pip install '.[worker]'": "\ntrue",
    "apt-get install nginx": "command -v nginx",
    "apt-get install prometheus prometheus-alertmanager": "command -v promtool",
    # Where the reader has an editor.
    "vim /etc/captchad/distributed.json": EDIT_CONFIGURATION,
    "vim /etc/nginx/conf.d/captchad.conf": (
        "mkdir -p /etc/nginx/tls; openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=captchad.example.com "
        "-keyout /etc/nginx/tls/captchad.key -out /etc/nginx/tls/captchad.crt 2>/dev/null; systemctl start nginx"
    ),
    f"vim {LIMITS}": f"sed -i 's/MemoryMax=4G/MemoryMax=3G/' {LIMITS}",
    # What only the run itself knows.
    "export CAPTCHAD_API_KEY=ck_…": "export CAPTCHAD_API_KEY=$(told '^ck_[0-9a-f_]+')",
    "https://captcha.example.com/login": SITE,
    "/task_status/task_00…": "/task_status/$(told 'task_0[a-z0-9]{26,}')",
    # What ends only by Ctrl-C, and what finds nothing, which is well.
    "captchad logs -f": "timeout 3 captchad logs -f || [ $? = 124 ]",
    "| grep ERROR": "| grep ERROR || true",
    "lsof -i :6379": "lsof -i :6379 || true",
    # Of no use to the commands that follow.
    "export REDIS_TLS_ENABLED=true": (
        "export REDIS_TLS_ENABLED=true\ncaptchad config show | grep 'redis.tls.enabled .*true'\n"
        "unset REDIS_PASSWORD REDIS_TLS_ENABLED"
    ),
}

EXPECTED = {
    "4. 部署系统": "[ $(running worker) = 6 ]",
    "服务管理": "[ $(running worker) = 6 ]",
    "扩缩容": "[ $(running worker) = 4 ] && [ $(running browser) = 0 ]",
    "任务状态查询": """told '"status":"completed"'""",
    "监控和诊断": """told '"active_workers":4'""",
    "2. 任务处理缓慢": "[ $(running worker) = 6 ]",
    "3. 内存不足": "systemctl show -P MemoryMax captchad-worker@1 | grep -qx 3221225472",
    "1. 网络安全": "curl -skf https://127.0.0.1/livez",
    "2. 访问控制": "captchad keys list | grep -qE 'my-application .* revoked'",
    "数据备份": "systemctl is-enabled captchad-backup.timer && ls /var/lib/captchad/backups/*.backup",
    "数据恢复": "captchad status $(told 'task_0[a-z0-9]{26,}') | grep -q completed",
    "滚动升级": f"captchad version | grep -E 'services +{NEXT}'",
    "Prometheus指标": "told '^captcha_tasks_total [1-9]'",
}

PRELUDE = r"""set -euo pipefail
running() { systemctl list-units --plain --no-legend --state=active "captchad-$1@*" | wc -l; }
curl() { command curl -sS "$@" && echo; }
told() { sleep 1; grep -oE "$1" /tmp/guide.out | tail -n 1 | grep .; }
exec > >(tee -a /tmp/guide.out) 2>&1
"""


def make_script(text: str) -> str:
    """Return the script of a guide; ValueError where a replacement or an expectation has no place in it."""
    blocks = _list_blocks(text)
    unused = [old for old in REPLACED if not any(old in code for _, _, code in blocks)]
    unknown = EXPECTED.keys() - {heading for heading, _, _ in blocks}
    if unused or unknown:
        raise ValueError(f"the guide does not have: {[*unused, *unknown]}")
    parts = [PRELUDE]
    for place, (heading, language, code) in enumerate(blocks):
        parts.append(_show(f"##### {heading}\n{code}"))
        parts.append(_write_file(code) if language == "ini" else _replace(code))
        is_last = place + 1 == len(blocks) or blocks[place + 1][0] != heading
        if is_last and heading in EXPECTED:
            parts.append(f"{EXPECTED[heading]} || {{ echo {shlex.quote(f'FAILED: {heading}')}; exit 1; }}\n")
    return "\n".join([*parts, "echo '=== every command of the guide'\n"])


def _list_blocks(text: str) -> list[tuple[str, str, str]]:
    """Return heading, language and text of each block that is run, or written to the file that it names."""
    found, heading = [], ""
    for match in re.finditer(
        r"^#{2,4} (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<code>.*?)^```$", text, re.M | re.S
    ):
        heading = match["heading"] or heading
        is_file = match["language"] == "ini" and match["code"].startswith("# /")
        if match["language"] == "bash" or is_file:
            found.append((heading, match["language"], match["code"]))
    return found


def _replace(code: str) -> str:
    for old, new in REPLACED.items():
        code = code.replace(old, new)
    return code


def _write_file(code: str) -> str:
    path = code.splitlines()[0].removeprefix("# ")
    return f"mkdir -p {shlex.quote(str(Path(path).parent))}\ncat >{shlex.quote(path)} <<'FILE'\n{code}FILE\n"


def _show(text: str) -> str:
    return f"cat <<'SHOWN'\n\n{text}SHOWN\n"


if __name__ == "__main__":
    sys.stdout.write(make_script(GUIDE.read_text(encoding="utf-8")))
