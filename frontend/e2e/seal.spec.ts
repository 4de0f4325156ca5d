/** Whether a capture is whole: an editor seals it, reads its manifest and lets it be verified. */

import { expect, test } from "@playwright/test";

import { complaints, expectAccessible } from "./page-checks";

const EMAIL = process.env.ETP_E2E_EMAIL ?? "owner@example.com";
const PASSWORD = process.env.ETP_E2E_PASSWORD ?? "demo-password";
const BASE = process.env.ETP_E2E_URL ?? "http://127.0.0.1:8080";
const API = `${BASE}/api/v1`;

interface Made {
  readonly id: string;
  readonly token: string;
}

async function call<T>(path: string, token: string | null, body: object, method = "POST"): Promise<T> {
  const headers = { "Content-Type": "application/json", ...(token === null ? {} : { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${API}${path}`, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

test("a capture is sealed and verified", async ({ page }) => {
  const heard = complaints(page);
  await page.goto("/");
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(/\/monitor$/);
  const projectId = /\/p\/([^/]+)\//.exec(page.url())?.[1] ?? "";

  const { access_token: user } = await call<{ access_token: string }>("/auth/login", null, { email: EMAIL, password: PASSWORD });
  const profile = { kind: "linear", slope: 2, intercept: 1 };
  const fields = { name: "Sealed gauge", type: "pressure", input_unit: "V", display_unit: "bar", profile };
  const sensor = await call<Made>(`/projects/${projectId}/sensors`, user, fields);
  const experiment = await call<Made>(`/projects/${projectId}/experiments`, user, { name: "Sealing" });
  const run = await call<Made>(`/experiments/${experiment.id}/runs`, user, { name: "one" });
  await call(`/runs/${run.id}/sensors`, user, { sensors: [{ sensor_id: sensor.id }] }, "PUT");
  await call(`/runs/${run.id}/start`, user, {});
  const now = Date.now() / 1000;
  await call("/telemetry", sensor.token, { samples: Array.from({ length: 50 }, (_, i) => ({ t: now - 60 + i, v: Math.sin(i) })) });
  const capture = await call<Made>(`/runs/${run.id}/captures`, user, { pre_roll_s: 120 });
  await call(`/captures/${capture.id}/stop`, user, {});

  await page.goto(`/p/${projectId}/experiments/${experiment.id}/runs/${run.id}`);
  await page.getByRole("button", { name: "Is capture 1 whole?" }).click();
  const dialog = page.getByRole("dialog", { name: "Capture 1: what it holds" });
  await expect(dialog.getByText("Finished, not sealed yet.", { exact: false })).toBeVisible();
  await dialog.getByRole("button", { name: "Seal now" }).click();
  const seal = dialog.getByRole("region", { name: "Seal 1" });
  await expect(seal.getByRole("row", { name: /Sealed gauge/ })).toContainText("50");
  await expect(dialog.getByRole("button", { name: "Copy the manifest" })).toBeVisible();
  await dialog.getByRole("button", { name: "Verify" }).click();
  await expect(dialog.getByText("Verified: everything holds.")).toBeVisible();
  await expectAccessible(page, "manifest");
  if (process.env.ETP_E2E_PICTURES !== undefined) {
    for (const scheme of ["light", "dark"] as const) {
      for (const [width, height] of [[1440, 900], [390, 844]] as const) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height });
        await page.screenshot({ path: `${process.env.ETP_E2E_PICTURES}/seal-${scheme}-${width}.png` });
      }
    }
  }
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(page.getByText("1 · sealed")).toBeVisible();
  expect(heard).toEqual([]);
});
