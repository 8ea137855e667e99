"""How sites end a form with a captcha, right and wrong, as no condition of a task says which."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from tests.integration.browser.form_stage import FIELDS, FormSite

PAGE_FORM = f'<form method="post" action="/check"><label>Code</label>{FIELDS}</form>'
COMMENT_FORM = (
    '<h1>Guestbook</h1><p>Be kind.</p><form method="post" action="/check">'
    f'<textarea name="text">Hello</textarea>{FIELDS}</form><p>Imprint</p>'
)
SCRIPT = (
    "<script>const field = document.querySelector('#answer'), picture = document.querySelector('#captcha'),"
    " form = document.forms[0], message = document.querySelector('#m');"
    "const another = () => { picture.src = '/picture?' + Math.random(); };"
    "form.addEventListener('submit', async (event) => {{ event.preventDefault(); {act} }});</script>"
)


@dataclass(frozen=True)
class Ending:
    """One ending: the first page, and what is answered to the form."""

    name: str
    answer: str = ""
    status: int = 200
    page: str = PAGE_FORM
    headers: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/html"

    def put_on(self, form: FormSite) -> None:
        """Make the site end like this."""
        form.show(self.page)
        form.site.put("/check", self._answer(self.answer, self.status, dict(self.headers), self.content_type))
        for path, html in self.pages.items():
            form.site.put(path, self._answer(html, 200, {}, "text/html"))

    def _answer(
        self, html: str, status: int, headers: dict[str, str], content_type: str
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(_: web.Request) -> web.StreamResponse:
            text = f"<!doctype html><body>{html}</body>" if content_type == "text/html" else html
            return web.Response(text=text, status=status, headers=headers, content_type=content_type)

        return answer


def led_to(name: str, location: str, html: str, **headers: str) -> Ending:
    return Ending(name, status=303, headers={"Location": location, **headers}, pages={location.partition("?")[0]: html})


def scripted(name: str, act: str, answer: str = "", status: int = 200) -> Ending:
    page = f"<form>{FIELDS}</form><p id=m></p>{SCRIPT.replace('{act}', act).replace('{{', '{').replace('}}', '}')}"
    return Ending(name, answer, status, page)


RIGHT = (
    Ending("a page that welcomes", "<h1>Welcome back, Ann</h1>"),
    led_to("a redirect to the account", "/account", "<nav>Home | Log out</nav><h1>Your orders</h1>"),
    led_to("a redirect with a session", "/start", "<h1>Inbox</h1>", **{"Set-Cookie": "sid=abc; HttpOnly; Path=/"}),
    Ending("nothing but OK", "OK", content_type="text/plain"),
    Ending("JSON that agrees", '{"success": true, "id": 7}', content_type="application/json"),
    Ending("an empty page", ""),
    Ending("the next step", '<form><label>Code from the mail</label><input name="mail"><button>Go</button></form>'),
    Ending("thanks above the same form", "<p>Thank you, your comment awaits review.</p>" + COMMENT_FORM,
           page=COMMENT_FORM),
    Ending("a success box above the same form", '<div class="alert alert-success">Kommentti</div>' + PAGE_FORM),
    Ending(
        "results above the same form",
        "<table>" + "".join(f"<tr><td>Entry {number}</td></tr>" for number in range(12)) + "</table>" + PAGE_FORM,
    ),
    Ending("the form without its captcha", '<form><input id="answer"><button>Go</button></form>'),
    scripted("a form that hides itself", "form.hidden = true;"),
    scripted("a form that is removed", "form.remove();"),
    scripted("thanks in the page", "await fetch('/check', {method: 'POST'});"
             " message.textContent = 'Message sent, thank you!';"
             " field.value = ''; another();"),
    scripted("results in the page", "for (let i = 0; i < 12; i++)"
             " message.append('Row ' + i, document.createElement('br'));"
             " field.value = ''; another();"),
    scripted("a view that is replaced", "history.pushState({}, '', '/app/home');"
             " document.body.innerHTML = '<h1>Inbox</h1>';"),
    scripted("an alert that thanks, and an empty form", "alert('提交成功，谢谢！'); field.value = ''; another();"),
    Ending("a welcome in a window", "<h1>Welcome back</h1>", page=PAGE_FORM.replace("<form", "<form target=_blank")),
    Ending("a welcome in Russian", "<h1>Добро пожаловать</h1><a>Выйти</a>"),
    Ending("a welcome in Arabic", "<h1>مرحبا بك</h1><a>تسجيل الخروج</a>"),
    Ending("thanks in Japanese above the form", "<p role=status>送信しました。ありがとうございます。</p>" + PAGE_FORM),
    Ending("thanks in Turkish above the form", "<p>Mesajınız gönderildi, teşekkürler</p>" + PAGE_FORM),
)  # fmt: skip

WRONG = (
    Ending("the form with an error", '<p class="error">That was wrong</p>' + PAGE_FORM),
    Ending("the form with an error in no class", "<p>The code you entered is incorrect.</p>" + PAGE_FORM),
    Ending("the form again, without a word", PAGE_FORM),
    Ending("the form again, with a new session", PAGE_FORM, headers={"Set-Cookie": "sid=new; HttpOnly; Path=/"}),
    Ending("a page of its own that refuses", "<h1>Wrong code</h1><a href=/>Back</a>"),
    Ending("a page of its own with a status", "<h1>Sorry</h1>", status=403),
    Ending("an empty page with a status", "", status=400),
    Ending("JSON that refuses", '{"success": false}', content_type="application/json"),
    led_to("a redirect back with an error in the address", "/login?error=captcha", PAGE_FORM),
    led_to("a redirect to a page that refuses", "/failed", "<h1>Sign-in failed</h1>",
           **{"Set-Cookie": "sid=1; Path=/"}),
    Ending("an alert and back", "<script>alert('验证码错误'); location.replace('/');</script>"),
    Ending("a marked field", PAGE_FORM.replace('id="answer"', 'id="answer" aria-invalid="true"')),
    Ending("a red box without known words", '<div class="has-error">Ooo, ooo.</div>' + PAGE_FORM),
    scripted("an error in the page", "message.textContent = 'Wrong, try again'; field.value = ''; another();"),
    scripted("an error in the page, alone", "message.textContent = 'Invalid captcha';"),
    scripted("a new picture and an empty field", "field.value = ''; another();"),
    scripted("a new picture", "another();"),
    scripted("an empty field", "field.value = '';"),
    scripted("nothing at all", ""),
    scripted("a status to the script", "await fetch('/check', {method: 'POST'});", status=422),
    scripted("an alert", "alert('Неверный код'); another();"),
    scripted("a toast", "const one = document.createElement('div'); one.className = 'toast';"
             " one.textContent = 'Code incorrect';"
             " document.body.prepend(one);"),
    Ending("an error in a window", "<p>Wrong code</p>", page=PAGE_FORM.replace("<form", "<form target=_blank")),
    Ending("an error in Russian", "<p>Неправильно введены символы</p>" + PAGE_FORM),
    Ending("an error in Japanese", "<p>画像認証が正しくありません</p>" + PAGE_FORM),
    Ending("an error in Arabic", "<p>الرمز غير صحيح</p>" + PAGE_FORM),
    Ending("an error in Vietnamese", "<p>Mã xác nhận không đúng</p>" + PAGE_FORM),
    Ending("an error in Polish, on a page of its own", "<p>Przepisany kod jest nieprawidłowy</p>"),
)  # fmt: skip
