#!/usr/bin/env bash
# Does what docs/testing.md says, step by step, in a folder and a virtual environment of its own: a green test within ten
# minutes. Then the guide's further tests. The wheel is built as the guide says, in a copy of this checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
repository=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH VIRTUAL_ENV PYTEST_ADDOPTS CAPTCHAD_GATEWAY_URL
mkdir "$work/checkout" "$work/reader" "$work/tmp"
export TMPDIR="$work/tmp" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_FIND_LINKS="$work/checkout/dist"

begun=$SECONDS
echo "--- pip wheel --no-deps -w dist ."
git ls-files -z captchad config systemd tests/__init__.py 'setup.*' pyproject.toml README.md LICENSE |
    xargs -0 cp --parents --no-dereference -t "$work/checkout"
(cd "$work/checkout" && "$repository/.venv/bin/pip" wheel -q --no-deps -w dist .)
python3 scripts/testing/testing_guide.py >"$work/steps.sh"
cd "$work/reader"
bash "$work/steps.sh"
took=$((SECONDS - begun))
echo "=== a green test after $took s"
[ "$took" -le 600 ] || { echo "that is more than ten minutes"; exit 1; }

echo "--- the guide's further tests"
source .venv/bin/activate
pip install -q requests selenium
python3 "$repository/scripts/testing/testing_guide.py" --further .
cat >>conftest.py <<'END_OF_FILE'


@pytest.fixture
def driver():
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox"):
        options.add_argument(argument)
    with webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver")) as driver:
        yield driver
END_OF_FILE
pytest -q
if pgrep -af "$work"; then
    echo "something was left running"
    exit 1
fi
echo "=== docs/testing.md is as promised"
