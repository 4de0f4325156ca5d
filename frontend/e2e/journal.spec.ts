/** Trouble with a sensor as it reaches people: a toast, the journal behind it, and a state that changes by itself. */

import { expect, test } from "@playwright/test";

import { complaints, expectAccessible } from "./page-checks";

const EMAIL = process.env.ETP_E2E_EMAIL ?? "owner@example.com";
const PASSWORD = process.env.ETP_E2E_PASSWORD ?? "demo-password";
const BASE = process.env.ETP_E2E_URL ?? "http://127.0.0.1:8080";
const API = `${BASE}/api/v1`;

async function call<T>(path: string, token: string | null, body: object): Promise<T> {
  const headers = { "Content-Type": "application/json", ...(token === null ? {} : { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${API}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return (await answer.json()) as T;
}

test("a bad value becomes a toast that leads to the journal", async ({ page }) => {
  const heard = complaints(page);
  await page.goto("/");
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(/\/monitor$/);
  const projectId = /\/p\/([^/]+)\//.exec(page.url())?.[1] ?? "";

  const { access_token: token } = await call<{ access_token: string }>("/auth/login", null, { email: EMAIL, password: PASSWORD });
  const name = "Bad root";
  const profile = { kind: "custom", expression: "sqrt(x)", constants: {} };
  const fields = { name, type: "pressure", input_unit: "V", display_unit: "bar", profile, heartbeat_interval_s: 60 };
  const sensor = await call<{ id: string; token: string }>(`/projects/${projectId}/sensors`, token, fields);
  const tile = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name, exact: true }) });
  // Nobody asked for the list again within this time: it was told that there is one more.
  await expect(tile).toBeVisible({ timeout: 8_000 });
  await expect(tile).toHaveAttribute("data-state", "unknown");

  await call("/telemetry", sensor.token, { samples: [{ t: Date.now() / 1000, v: -77.125 }] });
  await expect(tile).toHaveAttribute("data-state", "online", { timeout: 8_000 });
  const toast = page.getByRole("status").filter({ hasText: `${name}: values without a good conversion` });
  await expect(toast).toBeVisible();
  await page.getByRole("button", { name: "Open the journal" }).click();
  await expect(page).toHaveURL(new RegExp(`journal=${sensor.id}`));
  const dialog = page.getByRole("dialog", { name: `Journal of ${name}` });
  await expect(dialog.getByRole("row").filter({ hasText: "Conversion error" })).toContainText("raw −77.125");
  await expectAccessible(page, "journal");
  await dialog.getByLabel("Kind").selectOption("rate_limited");
  await expect(dialog).toContainText("Nothing of this kind happened.");
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(page).not.toHaveURL(/journal=/);
  await tile.getByRole("button", { name: `Journal of ${name}` }).click();
  await expect(dialog).toBeVisible();
  if (process.env.ETP_E2E_PICTURES !== undefined) {
    for (const [scheme, width, height] of [["light", 1440, 900], ["dark", 390, 844]] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height });
      await page.screenshot({ path: `${process.env.ETP_E2E_PICTURES}/journal-${scheme}.png` });
    }
  }
  expect(heard).toEqual([]);
});
