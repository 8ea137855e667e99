"""Pages without a captcha that have what may be taken for one.

`/line` is a picture with the shape of a line of text, `/square` a square one, `/wide` a banner, `/small` a badge.
"""

LOGIN = '<input name="username" placeholder="User name"><input type="password" name="password"><button>Log in</button>'
BARE_LOGIN = '<input name="a1"><input type="password" name="a2"><button>OK</button>'
SMS = (
    '<input type="tel" name="phone" placeholder="手机号"><input name="code" placeholder="验证码"><button type="button">'
)
CHART = """<script>for (const c of document.querySelectorAll("canvas")) {const d = c.getContext("2d");
for (let x = 0; x < c.width; x += 4) d.fillRect(x, Math.random() * c.height, 3, 3)}</script>"""

LOGINS = {
    "logo above a login": f'<form><img src="/line" alt="Example"><p>{LOGIN}</form>',
    "logo above a login of no names": f'<div><img src="/line" width="200"></div><form>{BARE_LOGIN}</form>',
    "logo of a link": f'<a href="/"><img src="/line"></a><form>{BARE_LOGIN}</form>',
    "logo in the form": f'<form><img src="/static/company.png" width="180" height="60"><br>{BARE_LOGIN}</form>',
    "vector logo": f'<form><svg width="160" height="48"><text y="30">Example</text></svg>{LOGIN}</form>',
    "background for a logo": f'<div style="width: 180px; height: 50px; background: url(/line)"></div>'
    f"<form>{LOGIN}</form>",
    "logo in a header": f'<header><img src="/line" class="navbar-image"><input name="q"></header><form>{LOGIN}</form>',
    "Chinese login": '<form><img src="/line" alt="某某公司"><input placeholder="请输入用户名"><input type="password">'
    "<button>登录</button></form>",
    "Russian login": '<form><img src="/line" alt="Компания"><input placeholder="Логин"><input type="password">'
    "<button>Войти</button></form>",
    "social buttons": f'<form>{LOGIN}<a href="/oauth/google"><img src="/line" alt="Sign in with Google"></a></form>',
    "avatar": f'<form><img src="/square" class="avatar">{LOGIN}</form>',
    "avatar without a name": f'<form><img src="/square" width="96">{BARE_LOGIN}</form>',
    "registration with a profile photo": '<form><input name="nickname"><img src="/square" id="preview">'
    '<input type="file">'
    '<input name="email"></form>',
    "password reset": '<form><img src="/line"><p>Enter your e-mail and we will send a link</p>'
    '<input name="email"></form>',
    "remembered user": f'<form><img src="/square?user=1"><b>Anna</b>{BARE_LOGIN}</form>',
}
CODES_BY_MESSAGE = {
    "Chinese login by message": f'<img src="/line" alt="某某">{SMS}获取验证码</button>',
    "Chinese login by message, scripted": f'<img src="/line">{SMS}发送验证码</button><script>let x = 1</script>',
    "picture beside the code": f'<form>{SMS}获取验证码</button><img src="/line" alt="安全登录"></form>',
    "one-time code": '<img src="/line"><form><p>We sent a code to your phone</p><input name="code" '
    'autocomplete="one-time-code"><button>Verify</button></form>',
    "code from an app": '<form><p>Enter the code from your authenticator app</p><img src="/square">'
    '<input name="otp"></form>',
    "code by mail": '<form><img src="/line"><label>Verification code sent to anna@example.org '
    '<input name="code"></label>'
    "</form>",
    "code in six fields": '<img src="/line"><p>Enter the code we sent by SMS</p><form>'
    + '<input maxlength="1">' * 6
    + "</form>",
    "Korean code": '<form><img src="/line"><input type="tel" name="tel"><button type="button">인증번호 받기</button>'
    '<input name="cert" placeholder="인증번호"></form>',
    "Russian code": '<form><img src="/line"><p>Мы отправили код подтверждения</p><input name="code"></form>',
    "German code": '<form><img src="/line"><p>Der Bestätigungscode wurde an Sie gesendet</p><input name="code"></form>',
    "backup code": '<form><img src="/line"><input name="backup" placeholder="Backup code"></form>',
}
CODES_TO_SCAN = {
    "QR login": f'<div><img src="/square" id="qrcode" alt="Scan to log in">扫码登录</div><form>{LOGIN}</form>',
    "QR on a canvas": f'<canvas width="180" height="180" class="code-box"></canvas>{CHART}<form>{BARE_LOGIN}</form>',
    "QR without a name": f'<img src="/square" width="150"><p>微信扫一扫</p><form>{LOGIN}</form>',
    "QR for an authenticator": '<p>Scan the code</p><img src="/square" alt="QR code">'
    '<input name="code" placeholder="Code '
    'from your authenticator">',
    "barcode": '<img src="/line" class="barcode" alt="9780000000000"><input name="isbn">',
}
SHOPS = {
    "product list": "".join(f'<a href="/p/{n}"><img src="/line?{n}" alt="Product {n}"></a>' for n in range(30)),
    "product with a quantity": '<img src="/line" alt="Chair"><form><input name="quantity"><button>Add</button></form>',
    "coupon": '<form><img src="/line" alt="Winter sale"><input name="coupon_code" placeholder="Coupon code"></form>',
    "gift card": '<form><img src="/line" class="gift-card-art">'
    '<input name="gift_code" placeholder="Gift card code"></form>',
    "payment badges": '<form><input name="card_number"><input name="cvc"><img src="/small" alt="Visa">'
    '<img src="/small" alt="Mastercard"></form>',
    "trust seals": f'<form>{LOGIN}</form><img src="/line" alt="Norton Secured, powered by Verisign">'
    '<img src="/small" alt="Valid XHTML" class="w3c">',
    "shop search": '<form><img src="/line"><input name="q" placeholder="Search"><button>Go</button></form>',
    "app shops": '<form><input name="phone"><a href="https://play.example/"><img src="/line" alt="Get it"></a></form>',
    "engraving": '<form><input name="qty"><input name="engraving_message">'
    '<img src="/line" id="product-preview"></form>',
}
ADVERTS = {
    "banner": f'<a href="https://ads.example/x"><img src="/wide"></a><form>{LOGIN}</form>',
    "banner of the site": f'<a href="/offer"><img src="/wide"></a><form>{BARE_LOGIN}</form>',
    "banner in a frame": f'<iframe src="/advert" width="480" height="80"></iframe><form>{BARE_LOGIN}</form>',
    "counter": '<form><input name="q"></form><img src="/small" alt="visitors" class="tracking">',
    "newsletter": '<aside><img src="/line"><input type="email" name="email"><button>Subscribe</button></aside>',
}
DRAWINGS = {
    "charts": f'<input name="filter"><canvas width="300" height="120"></canvas>'
    f'<canvas width="160" height="50"></canvas>{CHART}',
    "map": '<input name="address" placeholder="Search an address"><canvas width="800" height="400"></canvas>' + CHART,
    "signature": '<form><input name="fullname"><canvas width="300" height="100" id="signature"></canvas></form>',
    "blank canvas": '<form><canvas width="160" height="60" id="x"></canvas><input name="x1"></form>',
    "vector icons": '<form><svg width="24" height="24"><circle r="9"/></svg><input name="f"></form>' * 20,
    "stars": '<form><img src="/line" class="rating stars"><textarea name="comment"></textarea></form>',
}
ARTICLES = {
    "article about captchas": '<h1>What is a captcha?</h1><article><p>Long ago</p><img src="/large" alt="A captcha">'
    '</article><input name="q" placeholder="Search">',
    "article about code": '<article><img src="/img/code-editor" width="400" height="200"><p>Write code</p></article>',
    "documentation": '<nav><input name="q"></nav><img src="/line" alt="Verification flow chart">'
    "<pre>check_code()</pre>",
    "forum": '<img src="/square" class="avatar"><p>Post</p>'
    '<img src="/line" class="signature"><textarea name="reply"></textarea>',
    "comments": '<article><img src="/wide"></article><form><input name="name">'
    '<input name="email"><textarea name="comment">'
    "</textarea></form>",
    "empty": "",
    "text only": "<h1>Hello</h1><p>Nothing here</p>",
    "a question to answer": '<form><p>What is 3 + 4?</p><input name="answer"></form>',
    "a code of letters": "<p>Your code: <b>K7XW2</b></p>",
}
PAGES = {**LOGINS, **CODES_BY_MESSAGE, **CODES_TO_SCAN, **SHOPS, **ADVERTS, **DRAWINGS, **ARTICLES}
