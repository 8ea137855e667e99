"""The long proof of the browser engine: thousands of pages, browsers and workers killed, nothing left behind."""
