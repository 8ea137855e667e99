"""Ways in which a declared page may try to reach somewhere else; `URL`, `HTTPS`, `WS`, `HOST` stand for the goal.

Each script trick ends by calling `done()`; a navigation trick takes the page away instead.
"""

SCRIPT_TRICKS = {
    "fetch": "fetch('URL').then(done, done)",
    "fetch without CORS": "fetch('URL', {mode: 'no-cors'}).then(done, done)",
    "fetch over https": "fetch('HTTPS', {mode: 'no-cors'}).then(done, done)",
    "XMLHttpRequest": "const x = new XMLHttpRequest(); x.onloadend = done; x.open('POST', 'URL'); x.send('x')",
    "WebSocket": "const s = new WebSocket('WS'); s.onclose = done; s.onerror = done",
    "EventSource": "const e = new EventSource('URL'); e.onerror = () => {e.close(); done()}",
    "beacon": "navigator.sendBeacon('URL', 'x'); setTimeout(done, 300)",
    "keepalive fetch": "fetch('URL', {keepalive: true, mode: 'no-cors'}).then(done, done)",
    "image": "const i = new Image(); i.onload = i.onerror = done; i.src = 'URL'",
    "script": "const s = document.createElement('script'); s.onload = s.onerror = done; s.src = 'URL'; "
    "document.head.append(s)",
    "style sheet": "const l = document.createElement('link'); l.rel = 'stylesheet'; l.href = 'URL'; "
    "l.onload = l.onerror = done; document.head.append(l)",
    "CSS import": "const s = document.createElement('style'); s.textContent = '@import \"URL\"'; "
    "s.onload = s.onerror = done; document.head.append(s); setTimeout(done, 300)",
    "prefetch": "const l = document.createElement('link'); l.rel = 'prefetch'; l.href = 'URL'; "
    "document.head.append(l); setTimeout(done, 300)",
    "font": "const f = new FontFace('f', 'url(URL)'); f.load().then(done, done)",
    "video": "const v = document.createElement('video'); v.onerror = done; v.src = 'URL'; v.load()",
    "frame": "const f = document.createElement('iframe'); f.onload = done; f.src = 'URL'; document.body.append(f)",
    "frame over https": "const f = document.createElement('iframe'); f.onload = done; f.src = 'HTTPS'; "
    "document.body.append(f); setTimeout(done, 400)",
    "redirected frame": "const f = document.createElement('iframe'); f.onload = done; f.src = '/redirect'; "
    "document.body.append(f)",
    "redirected image": "const i = new Image(); i.onload = i.onerror = done; i.src = '/redirect'",
    "form into a frame": "document.body.insertAdjacentHTML('beforeend', '<iframe name=n></iframe><form id=f "
    'method=post action="URL" target=n><input name=a></form>\'); f.submit(); setTimeout(done, 400)',
    "popup": "open('URL'); setTimeout(done, 400)",
    "popup without opener": "open('URL', '_blank', 'noopener'); setTimeout(done, 400)",
    "worker": "const w = new Worker(URL.createObjectURL(new Blob([`fetch('URL', {mode: 'no-cors'})"
    ".then(() => postMessage(1), () => postMessage(1))`]))); w.onmessage = done",
    "shared worker": "const w = new SharedWorker(URL.createObjectURL(new Blob([`onconnect = (e) => "
    "fetch('URL', {mode: 'no-cors'}).finally(() => e.ports[0].postMessage(1))`]))); w.port.onmessage = done",
    "WebSocket in a worker": "const w = new Worker(URL.createObjectURL(new Blob([`const s = new WebSocket('WS'); "
    "s.onclose = () => postMessage(1)`]))); w.onmessage = done",
    "link ping": "const a = document.createElement('a'); a.href = '#x'; a.ping = 'URL'; document.body.append(a); "
    "a.click(); setTimeout(done, 300)",
}

NAVIGATION_TRICKS = {
    "script navigation": "<script>location = 'URL'</script>",
    "https navigation": "<script>location = 'HTTPS'</script>",
    "meta refresh": '<meta http-equiv="refresh" content="0; url=URL">',
    "form post": '<form id="f" method="post" action="URL"><input name="a"></form><script>f.submit()</script>',
    "link": '<a id="a" href="URL">x</a><script>a.click()</script>',
    "redirect by script": "<script>location.replace('/redirect')</script>",
}

SILENT_TRICKS = {
    "WebTransport": "new WebTransport('HTTPS').closed.then(done, done); setTimeout(done, 500)",
    "WebRTC": "const p = new RTCPeerConnection({iceServers: [{urls: 'stun:HOST'}, "
    "{urls: 'turn:HOST?transport=tcp', username: 'a', credential: 'b'}, {urls: 'turn:HOST', username: 'a', "
    "credential: 'b'}]}); p.createDataChannel('x'); p.createOffer().then((o) => p.setLocalDescription(o)); "
    "setTimeout(done, 1200)",
    "preconnect": "const l = document.createElement('link'); l.rel = 'preconnect'; l.href = 'URL'; "
    "document.head.append(l); setTimeout(done, 400)",
    "speculation rules": "const s = document.createElement('script'); s.type = 'speculationrules'; s.textContent = "
    "JSON.stringify({prerender: [{urls: ['URL'], eagerness: 'immediate'}]}); document.head.append(s); "
    "setTimeout(done, 500)",
    "other spellings of loopback": "Promise.allSettled(['localhost', '127.1', '0x7f000001', '2130706433', '127.0.0.2', "
    "'0.0.0.0', '[::1]', '[::ffff:127.0.0.1]', 'x.localhost'].map((h) => "
    "fetch('URL'.replace('127.0.0.1', h), {mode: 'no-cors'}))).then(done)",
}
"""What reaches nothing either way, so that there is no counter-test for it."""
