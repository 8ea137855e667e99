"""Patterns that scripts and Python read alike: words of the vocabulary, wide or narrow as each use wants them."""

# What the script looks at more closely: wide and quick, for it sees every name and address on the page.
MAYBE_PATTERN = (
    "captcha|verif|valid|code|(?<![a-z])check|secur|yzm|challenge|spam|human|codi|códig|kod|mã|κωδ|"
    "капч|код|验|驗|码|碼|認証|인증|보안|코드|رمز|کد|קוד|รหัส|कोड"
)

# Scripts of a page that will show one: narrow, for code says `code` all the time.
MENTION_PATTERN = (
    "captcha|securimage|(verify|verification|validate|check|(?<![a-z])v)[_-]?code|yzm|"
    "验证码|校验码|驗證碼|капч|код с карт|認証|보안문자"
)

# Addresses of what is shown until the picture is there; and where a page names another one beside it, more than these.
STAND_IN_PATTERN = "loading|spinner|placeholder|spacer|blank|transparent|1x1|dummy"
UNLOADED_PATTERN = f"^data:|{STAND_IN_PATTERN}|lazy|pixel|gr[ae]y"

# Text that may hold a sum: wide, for domain/written_sums.py reads it.
SUM_PATTERN = (
    r"\d\s*[+\-−–—×÷*x/加减減乘除]|[?_□]\s*[+\-−×÷]\s*\d|的[和积積差]|"
    r"\b(plus|minus|times|divided|multiplied|added|less|subtract|sum of|product of|difference)\b|"
    r"[零一二三四五六七八九十两兩壹贰叁肆伍陆柒捌玖拾百]\s*[+×÷加减減乘除]"
)
