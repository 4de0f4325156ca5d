// Turns /downloads/{key} into an authorised, streamed answer of the hub. It touches no other request.
const wanted = new Map();

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  if (event.origin !== self.location.origin) return;
  const { key, path, filename, token } = event.data;
  const port = event.ports[0];
  const texts = [key, path, filename, token].every((text) => typeof text === "string");
  // The token goes nowhere but to this hub's API.
  if (!texts || !path.startsWith("/api/v1/") || port === undefined) return;
  wanted.set(key, { path, filename, token, port });
  port.postMessage({ kept: true });
});

self.addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  if (pathname.startsWith("/downloads/")) event.respondWith(answer(pathname.slice("/downloads/".length)));
});

async function answer(key) {
  const order = wanted.get(key);
  wanted.delete(key);
  // An empty answer leaves the page where it is; the page itself says what went wrong.
  const stay = new Response(null, { status: 204 });
  if (order === undefined) return stay;
  const { path, filename, token, port } = order;
  try {
    const response = await fetch(path, { headers: { Authorization: `Bearer ${token}` } });
    if (!response.ok) {
      const body = await response.json().catch(() => null);
      port.postMessage({ ok: false, status: response.status, body, requestId: response.headers.get("X-Request-ID") });
      return stay;
    }
    const headers = new Headers();
    headers.set("Content-Type", response.headers.get("Content-Type") ?? "application/octet-stream");
    headers.set("Content-Disposition", response.headers.get("Content-Disposition") ?? `attachment; filename="${filename}"`);
    port.postMessage({ ok: true });
    return new Response(response.body, { headers });
  } catch {
    port.postMessage({ ok: false, status: 503, body: null });
    return stay;
  }
}
