// Leaves behind whatever a page can leave in its browser.
const visit = location.pathname.split("/").pop();
document.cookie = `seen=${visit}; path=/; max-age=3600`;
localStorage.setItem("visit", visit);
sessionStorage.setItem("visit", visit);
window.name = visit;
const opening = indexedDB.open("visits", 1);
opening.onupgradeneeded = () => opening.result.createObjectStore("visits");
opening.onsuccess = () => opening.result.transaction("visits", "readwrite").objectStore("visits").put(visit, "last");
if ("caches" in window) {
  caches.open("visits").then((cache) => cache.put("/last", new Response(visit)));
}
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/worker.js").catch(() => {});
}
