"""The scripts that run in pages: what one of their files uses, another or the caller must bring."""

import re

import pytest

from captchad.browser.scripts.catalogue import read_page_scripts

STRINGS = re.compile(r'"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[=(,])\s*/(?:\\.|[^/\\\n])+/[a-z]*')
CONSTANT = re.compile(r"(?<![\w.])[A-Z][A-Z_]{3,}(?!\w)")
DECLARATION = re.compile(r"(?:const |[;,]\s*)([A-Z][A-Z_]{3,}) =")
BUILT_IN = {"JSON"}


@pytest.mark.parametrize("script", read_page_scripts().values(), ids=read_page_scripts().keys())
def test_every_constant_that_is_used_is_declared(script: str) -> None:
    declared = set(DECLARATION.findall(script))
    assert declared
    used = {name for name in CONSTANT.findall(STRINGS.sub('""', script)) if name not in BUILT_IN}
    assert {name for name in used - declared if f"NodeFilter.{name}" not in script} == set()
