self.addEventListener("install", (event) => {
  event.waitUntil(caches.open("shell").then((cache) => cache.add("/style.css")).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", () => {});
