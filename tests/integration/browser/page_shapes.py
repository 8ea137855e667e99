"""How pages show their captcha: bodies of pages by what is special about them.

`/picture` is the captcha, `/decoy` another picture, `/frame` a page with the captcha named so, `/bare` one with the
picture alone; DATA stands for the captcha as a data: URL and OTHER for another site that has the same.
"""

NAMED = '<img id="captcha" src="/picture">'
INPUT = '<input name="code" placeholder="captcha">'
SIZED = "width: 160px; height: 60px"
FAR = '<div style="height: 6000px"></div>'
STAND_IN = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
LAZY_LOADER = """<script>new IntersectionObserver((entries, observer) => {
for (const {target, isIntersecting} of entries) if (isIntersecting) {
if (target.dataset.src) target.src = target.dataset.src;
if (target.dataset.bg) target.style.background = `url(${target.dataset.bg})`;
observer.unobserve(target)}}).observe(document.querySelector(".lazy"))</script>"""
SHOW = """<script>function show() {
document.querySelector("#here").innerHTML = '<img src="/picture" class="code">'}</script>
<div id="here"></div>"""
GALLERY = "".join(
    f'<a href="/item/{n}"><img src="/decoy" alt="item {n}" width="150" height="50"></a>' for n in range(120)
)

ELEMENTS = {
    "data URI": '<img src="DATA" id="captcha">',
    "image button": '<input type="image" src="/picture" class="captcha-image">',
    "picture with a source": '<picture><source srcset="/picture" type="image/png"><img id="captcha"></picture>',
    "srcset": '<img class="captcha" srcset="/picture 1x, /decoy 2x" src="/decoy?fallback">',
    "embedded object": '<object class="captcha" data="/picture" type="image/png" width="160" height="60"></object>',
    "redirected picture": '<img id="captcha" src="/moved">',
    "blob": '<img id="captcha"><script>fetch("/picture").then(r => r.blob()).then(b => '
    "{captcha.src = URL.createObjectURL(b)})</script>",
    "blob that is revoked": '<img id="captcha"><script>fetch("/picture").then(r => r.blob()).then(b => '
    "{const u = URL.createObjectURL(b); captcha.onload = () => URL.revokeObjectURL(u); captcha.src = u})</script>",
    "canvas": '<canvas id="captcha" width="160" height="60"></canvas><script>const i = new Image(); '
    'i.onload = () => captcha.getContext("2d").drawImage(i, 0, 0); i.src = "/picture"</script>',
    "canvas beside a blank one": '<canvas class="captcha" width="160" height="60"></canvas>'
    '<canvas id="drawn" class="captcha" width="160" height="60"></canvas><script>const i = new Image(); '
    'i.onload = () => drawn.getContext("2d").drawImage(i, 0, 0); i.src = "/picture"</script>',
    "background": f'<div class="captcha" style="{SIZED}; background: url(/picture)"></div>',
    "background of no name beside its input": f"<style>.x {{{SIZED}; display: inline-block; background: "
    f"url(/picture?t=1)}}</style><p>Captcha: <input name=f1> <span class=x></span></p>",
    "data URI for a background": f'<i class="captcha" style="{SIZED}; display: block; background: url(DATA)"></i>',
    "background before an element": f'<style>.captcha::before {{content: ""; display: block; {SIZED}; background: '
    'url("/picture")}</style><div class="captcha"></div>',
    "content after an element": "<style>#code-image::after {content: url(/picture)}</style>"
    '<div id="code-image" style="width: 160px"></div>',
    "one of several backgrounds": f'<b class="captcha" style="{SIZED}; display: block; background: url(/decoy), '
    'url(/picture?captcha)"></b>',
}
PLACES = {
    "frame": '<iframe src="/frame"></iframe>',
    "frame in a frame": '<iframe src="/outer"></iframe>',
    "frame of another site in a frame": '<iframe src="/outer-other"></iframe>',
    "frame with nothing but the picture": f'<form>{INPUT} <iframe src="/bare" width="200"></iframe></form>',
    "frame of another site with nothing but the picture": f"<form>{INPUT} <iframe src='OTHER/bare'></iframe></form>",
    "frame with its page in an attribute": "<iframe srcdoc='<img id=captcha src=/picture>'></iframe>",
    "frame written by script": '<iframe id="f"></iframe><script>f.contentDocument.write('
    '"<img id=captcha src=/picture>"); f.contentDocument.close()</script>',
    "shadow root": '<div id="host"></div><script>host.attachShadow({mode: "open"}).innerHTML = '
    "'<img id=captcha src=/picture>'</script>",
    "shadow root in a shadow root": '<div id="a"></div><script>const r = a.attachShadow({mode: "open"}); '
    'r.innerHTML = "<p id=b></p>"; r.querySelector("p").attachShadow({mode: "open"}).innerHTML = '
    "'<img id=captcha src=/picture>'</script>",
    "frame in a shadow root": '<div id="host"></div><script>host.attachShadow({mode: "open"}).innerHTML = '
    "'<iframe src=/frame></iframe>'</script>",
    "login in a side bar": f'<aside><form><input name="user">{INPUT}<img src="/picture?t=2"></form></aside>',
    "last of many pictures": f'{GALLERY}<form>{INPUT}<img src="/picture"></form>',
    "beside a refresh button": f'<form>{INPUT}{NAMED}<img class="captcha-refresh" src="/square" width="32"></form>',
    "form without one telling name": '<form><input name="a1"><input type="password" name="a2"><img src="/picture">'
    '<input name="a3"></form>',
    "linked to a new picture": f'<form>{INPUT}<a href="/picture"><img src="/picture"></a></form>',
    "a hidden one before it": f'<form>{INPUT}<img class="captcha" src="/decoy" style="display: none">'
    f'<img class="captcha" src="/decoy" style="position: absolute; left: -9999px">{NAMED}</form>',
}
LATE = {
    "preloaded by script": '<script>const i = new Image(); i.src = "/picture"; i.id = "captcha"; '
    "i.onload = () => document.body.append(i)</script>",
    "late": '<div id="here"></div><script>setTimeout(() => {here.innerHTML = '
    "'<img class=captcha src=/picture>'}, 700)</script>",
    "late by three seconds": f'<form>{INPUT}<div id="here"></div></form><script>setTimeout(() => {{here.innerHTML = '
    "'<img src=/picture>'}, 3000)</script>",
    "late in a page without content": '<div id="root"></div><script src="/app.js"></script>',
    "from an answer of an interface": f'<form>{INPUT}<img id="x" width="160" height="60"></form><script>'
    'setTimeout(() => {x.src = "DATA"}, 900)</script>',
    "after a stand-in": f'<form>{INPUT}<img id="captcha" src="/loading.gif"></form><script>'
    'setTimeout(() => {captcha.src = "/picture"}, 900)</script>',
    "lazy below the fold": f'{FAR}<img id="captcha" loading="lazy" src="/picture" width="160" height="60">',
    "lazy and of no name below the fold": f'{FAR}<p>{INPUT}<img loading="lazy" src="/picture" width="160" height="60">',
    "loaded by script once seen": f'{FAR}<form>{INPUT}<img class="lazy" data-src="/picture" src="{STAND_IN}" '
    f'width="160" height="60"></form>{LAZY_LOADER}',
    "background loaded by script once seen": f'{FAR}<div class="lazy captcha" data-bg="/picture" style="{SIZED}"></div>'
    f"{LAZY_LOADER}",
    "made by script once seen": f'{FAR}<div class="lazy" id="login"></div><script>new IntersectionObserver((e) => '
    """{if (e[0].isIntersecting && !login.firstChild) login.innerHTML = '<img id=captcha src=/picture>'})"""
    ".observe(login)</script>",
    "not laid out before it is seen": f'{FAR}<div style="content-visibility: auto">{NAMED}</div>',
}
BEHIND_A_CLICK = {
    "button": f'{SHOW}<button type="button" onclick="show()">Show captcha</button>',
    "button of a form": f'{SHOW}<form><input name="a"><button type="button" onclick="show()">获取验证码</button>'
    "<button>登录</button></form>",
    "link": f'{SHOW}<a href="javascript:show()">点击显示验证码</a>',
    "link to nowhere": f'{SHOW}<a href="#" onclick="show(); return false">Показать код с картинки</a>',
    "listened to by script": f'{SHOW}<span id="s" style="cursor: pointer">Click to load the captcha</span>'
    '<script>s.addEventListener("mousedown", show)</script>',
    "picture to click": f'{SHOW}<img src="/square" width="40" alt="点击显示验证码" onclick="show()">',
    "input": f'{SHOW}<input name="v" placeholder="点击输入框显示验证码" onfocus="show()">',
    "details": '<details><summary>Show the captcha</summary><img id="captcha" src="/picture"></details>',
    "in a frame": '<iframe src="/revealing"></iframe>',
}
PHOTOGRAPHED = {
    "inline SVG": '<svg id="captcha" width="160" height="60"><image href="/picture" width="160" height="60"/></svg>',
    "inline SVG of no name": f'<p>{INPUT} <svg width="160" height="60"><image href="/picture" width="160"/></svg>',
    "SVG file": '<img id="captcha" src="/picture.svg">',
    "SVG for a background": f'<div class="captcha" style="{SIZED}; background: url(/picture.svg)"></div>',
    "canvas with another site's picture": '<canvas id="captcha" width="160" height="60"></canvas><script>'
    'const i = new Image(); i.onload = () => captcha.getContext("2d").drawImage(i, 0, 0); '
    'i.src = "OTHER/picture"</script>',
}
LABELS = (
    *("Type the characters shown", "请输入图中的验证码", "Введите код с картинки", "Escriba el código de la imagen"),
    *(
        "Digite os caracteres da imagem",
        "Recopiez le code ci-contre",
        "Zeichen im Bild eingeben",
        "Güvenlik kodunu girin",
    ),
    *(
        "Inserisci il codice di sicurezza",
        "画像の文字を入力してください",
        "보안문자를 입력하세요",
        "Przepisz kod z obrazka",
    ),
    *("أدخل رمز التحقق", "Nhập mã xác nhận", "Masukkan kode keamanan", "کد امنیتی"),
)


def label_field(label: str) -> str:
    """Return a form in which the label alone tells which picture is the captcha."""
    others = '<input name="a1"><img src="/decoy"><input name="a2">'
    return f'<form>{others}<p><label>{label} <input name="a3"></label><img src="/picture"></form>'
