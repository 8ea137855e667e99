"""Pages that attack whoever opens them; `GOAL`, `GOALHOST` and `GOALPORT` stand for an address that nobody declared."""

CAPTCHA = '<img id="captcha" src="/picture">'

SOLVABLE = {
    "one of each dialog": CAPTCHA + "<script>alert('x'); confirm('y'); prompt('z'); print()</script>",
    "print dialogs for ever": CAPTCHA + "<script>setInterval(print, 1)</script>",
    "alerts for ever, with pauses": CAPTCHA + "<script>setInterval(() => alert('again'), 1)</script>",
    "a page that begs to stay": CAPTCHA + "<script>onbeforeunload = (e) => { e.preventDefault(); "
    "return e.returnValue = 'stay' }; "
    "onunload = onpagehide = () => { for (const end = Date.now() + 9000; Date.now() < end;); }</script>",
    "a flood of popups": CAPTCHA + "<script>setInterval(() => open('/popup', '_blank'), 5)</script>",
    "popups to elsewhere": CAPTCHA + "<script>for (const to of ['GOAL', 'file:///etc/passwd', 'data:text/html,x', "
    "'chrome://version', 'about:blank', 'javascript:alert(1)']) open(to)</script>",
    "popups by links": CAPTCHA + "<a id=a href='GOAL' target=_blank rel=opener></a>"
    "<script>setInterval(() => a.click(), 5)</script>",
    "popups that open popups": CAPTCHA + "<script>open('/breeder')</script>",
    "downloads of every kind": CAPTCHA + "<iframe src=/download></iframe><a id=a href=/endless-download download></a>"
    "<a id=b download=x></a><script>a.click(); b.href = URL.createObjectURL(new Blob(['x'.repeat(1e6)])); b.click(); "
    "setTimeout(() => location = '/download', 5)</script>",
    "downloads for ever": CAPTCHA + "<a id=a href=/download download></a>"
    "<script>setInterval(() => a.click(), 5)</script>",
    "frames of other schemes": CAPTCHA
    + "".join(
        f"<iframe src='{url}'></iframe><object data='{url}'></object><embed src='{url}'>"
        for url in ("file:///etc/passwd", "ftp://GOALHOST/", "chrome://version", "view-source:GOAL", "intent:x")
    ),
    "schemes for other programs": CAPTCHA + "<script>setTimeout(() => { for (const to of ['mailto:a@b', 'tel:1', "
    "'ssh://GOALHOST', 'intent://x#Intent;end', 'ms-word:x', 'steam://run']) { "
    "const f = document.createElement('iframe'); f.src = to; "
    "document.body.append(f); location = to } }, 99)</script>",
    "wishes for permission": CAPTCHA + "<script>const no = () => 0; Notification.requestPermission().catch(no); "
    "navigator.geolocation.getCurrentPosition(no, no); "
    "navigator.mediaDevices?.getUserMedia({video: true}).catch(no); "
    "document.body.requestFullscreen().catch(no); document.body.requestPointerLock(); "
    "navigator.clipboard?.readText().catch(no); navigator.wakeLock?.request().catch(no); "
    "navigator.requestMIDIAccess?.({sysex: true}).catch(no); navigator.bluetooth?.requestDevice({}).catch(no); "
    "navigator.usb?.requestDevice({filters: []}).catch(no); navigator.storage?.persist().catch(no); "
    "window.queryLocalFonts?.().catch(no); navigator.registerProtocolHandler?.('web+x', '/?%s')</script>",
    "a wish to leave for a file": CAPTCHA + "<script>location = 'file:///etc/passwd'</script>",
    "a wish to leave for its own data": CAPTCHA + "<script>location = 'data:text/html,x'</script>",
    "a way to another page, by script": "<script>location = '/honest'</script>",
    "a way to another page, by meta refresh": "<meta http-equiv=refresh content='0; url=/honest'>",
    "a service worker": CAPTCHA + "<script>navigator.serviceWorker?.register('/worker.js')</script>",
    "a title without end": CAPTCHA + "<script>document.title = 'x'.repeat(3e7)</script>",
    "cookies and storage to the brim": CAPTCHA + "<script>for (let i = 0; i < 9; i++) document.cookie = "
    "`c${i}=${'x'.repeat(4000)}; max-age=9999`; for (let i = 0; i < 50; i++) try { localStorage['k' + i] = "
    "'x'.repeat(1e6) } catch { break } window.name = 'x'.repeat(3e7)</script>",
    "an address without end": CAPTCHA + "<script>history.pushState(0, '', '/?' + 'x'.repeat(2e6))</script>",
    "a history without end": CAPTCHA + "<script>setInterval(() => history.pushState(0, '', '?' + Math.random()), 1)"
    "</script>",
    "workers without end": CAPTCHA + "<script>const u = URL.createObjectURL(new Blob(['for (;;);'])); "
    "for (let i = 0; i < 8; i++) new Worker(u)</script>",
    "a picture that never ends beside it": CAPTCHA + "<img src=/endless-picture width=9 height=9>",
    "a script that never comes": CAPTCHA + "<script async src=/drip-script></script>",
    "a server that wants a password for a picture": CAPTCHA + "<img src=/login><img src=/false-proxy>",
    "ten frames": CAPTCHA + "<iframe src=/small></iframe>" * 10,
    "frames in frames": CAPTCHA + "<iframe src=/frames></iframe>",
    "100,000 elements": CAPTCHA + "<script>document.body.insertAdjacentHTML('beforeend', '<p><b>x</b></p>'.repeat(5e4))"
    "</script>",
    "elements nested 5,000 deep": CAPTCHA + "<div>" * 5000,
    "1,000 false pictures": CAPTCHA
    + "<img width=10 height=10 src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>" * 1000,
}
"""Pages with an honest captcha beside the attack: it is read all the same."""

FLOODS = {
    "two hundred frames": CAPTCHA + "<iframe src=/small></iframe>" * 200,
    "a flood of console messages": CAPTCHA + "<script>setInterval(() => { for (let i = 0; i < 200; i++) "
    "console.log('x'.repeat(1e4), document) }, 1)</script>",
    "a flood of errors": CAPTCHA + "<script>setInterval(() => { throw new Error('x'.repeat(1e5)) }, 1)</script>",
    "a flood of requests": CAPTCHA + "<script>setInterval(() => { for (let i = 0; i < 20; i++) "
    "fetch('/nothing?' + Math.random()).catch(() => 0); }, 5)</script>",
    "a flood of inline requests": CAPTCHA + "<script>setInterval(() => { for (let i = 0; i < 50; i++) "
    "fetch('data:,' + i).catch(() => 0); }, 5)</script>",
}
"""Pages that send their browser, and the program that speaks to it, more than it can pass on."""

FRUITLESS = {
    "dialogs without pause": "<script>for (;;) { alert('a'); confirm('b'); prompt('c') }</script>",
    "dialogs without pause, after loading": "<script>setTimeout(() => { for (;;) alert('a') }, 50)</script>",
    "popups without pause": "<script>for (;;) open('/popup')</script>",
    "a loop before loading": "<script>for (;;);</script>",
    "a loop after loading": "<script>setTimeout(() => { for (;;); }, 50)</script>",
    "a loop of promises": "<script>(function again() { Promise.resolve().then(again) })()</script>",
    "a regular expression without end": "<script>/^(a+)+$/.test('a'.repeat(60) + 'b')</script>",
    "a request that blocks": "<script>const x = new XMLHttpRequest(); x.open('GET', '/drip-head', false); x.send()"
    "</script>",
    "a waiting page": "<script>setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))</script>"
    "<script src=/drip-script></script>",
    "reloading for ever": "<script>location.reload()</script>",
    "going round by script": "<script>location = '/?' + Math.random()</script>",
    "going round by meta refresh": "<meta http-equiv=refresh content='0; url=/'>",
    "going round by a form": "<form id=f method=post action=/></form><script>f.submit()</script>",
    "writing itself anew": "<script>setInterval(() => { document.open(); document.write('<p>x'); document.close() }, 1)"
    "</script>",
    "a captcha that is drawn for ever": "<img id=captcha src=/endless-picture>",
    "a captcha that drips": "<img id=captcha src=/drip-picture>",
    "a script that drips": "<script src=/drip-script></script>",
    "a page of 5,000,000 elements": "<script>for (let i = 0; i < 100; i++) document.body.insertAdjacentHTML("
    "'beforeend', '<p>x'.repeat(5e4))</script>",
}
"""Pages from which no captcha can be had."""

LIES = {
    "sizes that are objects": "Object.defineProperty(HTMLImageElement.prototype, 'naturalWidth', { get: () => ({}) })",
    "sizes that are no number": "Object.defineProperty(HTMLImageElement.prototype, 'naturalWidth', { get: () => NaN })",
    "sizes without end": "Object.defineProperty(HTMLImageElement.prototype, 'naturalWidth', { get: () => 1 / 0 })",
    "a state of 200 MB": "const s = 'x'.repeat(2e8); Object.defineProperty(Document.prototype, 'readyState', "
    "{ get: () => s })",
    "searches that throw": "Document.prototype.querySelectorAll = () => { throw 1 }",
    "searches that never end": "Document.prototype.querySelectorAll = () => { for (;;); }",
    "searches that find too much": "Document.prototype.querySelectorAll = () => Array(1e7).fill(document.body)",
    "lists that are no lists": "Array.prototype.map = Array.prototype.filter = () => [{evil: 1}]; "
    "Array.prototype.push = () => 9",
    "promises that are never kept": "Promise.prototype.then = function () { return this }",
    "numbers that are no numbers": "Math.max = Math.min = Math.round = () => 'x'",
}
"""What a page may put in place of the browser's own functions before it is looked at."""

LEAVING = {
    "blob": "<script>location = URL.createObjectURL(new Blob(['<img id=captcha>'], {type: 'text/html'}))</script>",
    "nothing": "<script>location = 'about:blank'</script>",
    "undeclared port": "<script>location = 'GOAL'</script>",
    "undeclared port, by meta refresh": "<meta http-equiv=refresh content='0; url=GOAL'>",
    "undeclared port, by a form": "<form id=f method=post action='GOAL'></form><script>f.submit()</script>",
    "metadata": "<script>location = 'http://169.254.169.254/latest/meta-data/'</script>",
    "metadata inside IPv6": "<script>location = 'http://[::ffff:169.254.169.254]/'</script>",
    "decimal loopback": "<script>location = 'http://2130706433:GOALPORT/'</script>",
    "hexadecimal loopback": "<script>location = 'http://0x7f.0.0.0x1:GOALPORT/'</script>",
    "octal loopback": "<script>location = 'http://0177.1:GOALPORT/'</script>",
    "IPv6 loopback": "<script>location = 'http://[::1]:GOALPORT/'</script>",
    "any address": "<script>location = 'http://0.0.0.0:GOALPORT/'</script>",
    "its own name": "<script>location = 'http://localhost:GOALPORT/'</script>",
}

MEMORY_BOMBS = {
    "typed arrays": "<script>const kept = []; setInterval(() => { for (let i = 0; i < 4; i++) "
    "kept.push(new Uint8Array(1 << 25).fill(1)) }, 5)</script>",
    "objects": "<script>const kept = []; setInterval(() => { for (let i = 0; i < 2e5; i++) "
    "kept.push({ i, name: 'n' + i, list: [i, i] }) }, 5)</script>",
    "strings": "<script>const kept = []; setInterval(() => { kept.push(Array(1e6).fill(kept.length).join(',')) }, 1)"
    "</script>",
    "canvases": "<script>const kept = []; setInterval(() => { const c = document.createElement('canvas'); "
    "c.width = c.height = 4000; c.getContext('2d').fillRect(0, 0, 4000, 4000); kept.push(c) }, 5)</script>",
    "blobs": "<script>const kept = []; setInterval(() => kept.push(new Blob([new Uint8Array(1 << 24).fill(1)])), 5)"
    "</script>",
    "WebAssembly": "<script>const kept = []; setInterval(() => { const m = new WebAssembly.Memory({ initial: 1000 }); "
    "new Uint8Array(m.buffer).fill(1); kept.push(m) }, 5)</script>",
}
"""Pages that take memory until somebody stops them."""

KEPT_LOADING = "<script src=/drip-script></script>"

JUMPING = (
    "<img id=captcha src=/picture><script>setInterval(() => { captcha.src = '/picture?' + Math.random() }, 1)</script>"
)
"""A captcha that is another one every millisecond: it is caught, or it is not."""
