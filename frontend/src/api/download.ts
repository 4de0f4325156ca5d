/**
 * Lets the browser download an authorised answer as a stream: the service worker sends the request with the token in its
 * header and hands the body on, so that nothing is held in memory and the token is in no address. Without a service worker
 * (no secure context) the file is built in memory.
 */

import { problemOf, unreachable } from "./problem";
import { renew, session } from "./session";

/** What the service worker says of an order: it has it, then how the hub answered. */
type Said =
  | { readonly kept: true }
  | { readonly kept?: undefined; readonly ok: true }
  | { readonly kept?: undefined; readonly ok: false; readonly status: number; readonly body: unknown; readonly requestId?: string | null };

const REGISTER_WAIT_MS = 3_000;
const ORDER_WAIT_MS = 3_000;
const ANSWER_WAIT_MS = 30_000;

async function serviceWorker(): Promise<ServiceWorker | null> {
  const container = (navigator as Partial<Navigator>).serviceWorker;
  if (container === undefined) return null;
  const patience = new Promise<null>((resolve) => setTimeout(() => resolve(null), REGISTER_WAIT_MS));
  try {
    await container.register("/download-worker.js", { scope: "/" });
    await Promise.race([container.ready, patience]);
    // Navigations reach the worker only once it controls this page, which it claims on activation.
    if (container.controller === null) {
      const claimed = new Promise<void>((resolve) => container.addEventListener("controllerchange", () => resolve(), { once: true }));
      await Promise.race([claimed, patience]);
    }
    return container.controller;
  } catch {
    return null;
  }
}

export async function download(path: string, filename: string): Promise<void> {
  const token = session.token() ?? (await renew());
  const worker = await serviceWorker();
  if (worker === null) return inMemory(path, filename, token);
  const key = crypto.randomUUID();
  const channel = new MessageChannel();
  const said = (patienceMs: number): Promise<Said | null> =>
    new Promise((resolve) => {
      const patience = setTimeout(() => resolve(null), patienceMs);
      channel.port1.onmessage = (event: MessageEvent<Said>) => {
        clearTimeout(patience);
        resolve(event.data);
      };
    });
  const kept = said(ORDER_WAIT_MS);
  worker.postMessage({ key, path, filename, token }, [channel.port2]);
  // The request below may overtake the message: the worker must have the order before it is asked for the file.
  if ((await kept) === null) return inMemory(path, filename, token);
  const settled = said(ANSWER_WAIT_MS);
  const link = document.createElement("a");
  link.href = `/downloads/${key}`;
  link.click();
  const answer = await settled;
  if (answer === null) return inMemory(path, filename, token);
  if (answer.kept === undefined && !answer.ok) {
    throw problemOf(answer.body, new Response(null, { status: answer.status, headers: answer.requestId ? { "X-Request-ID": answer.requestId } : {} }));
  }
}

async function inMemory(path: string, filename: string, token: string | null): Promise<void> {
  const answer = await fetch(path, { headers: { Authorization: `Bearer ${token ?? ""}` } }).catch(() => {
    throw unreachable();
  });
  if (!answer.ok) throw problemOf(await answer.json().catch(() => null), answer);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
