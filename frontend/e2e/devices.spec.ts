/** What a device engineer does in a real browser: limits, test packets, axes, edge agents. */

import { expect, test, type Page } from "@playwright/test";

import { Bench } from "./bench";
import { complaints, expectAccessible } from "./page-checks";

const EMAIL = process.env.ETP_E2E_EMAIL ?? "owner@example.com";
const PASSWORD = process.env.ETP_E2E_PASSWORD ?? "demo-password";
const BASE = process.env.ETP_E2E_URL ?? "http://127.0.0.1:8080";
const PICTURES = process.env.ETP_E2E_PICTURES;

let bench: Bench;
let suffix = "";

test.beforeEach(async ({ page }) => {
  bench = await Bench.open(BASE, EMAIL, PASSWORD);
  suffix = Date.now().toString(36);
  await page.goto("/");
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(/\/monitor$/);
});

/** What stands on the page is sound for everybody, and no wider than a phone; with pictures where they are asked for. */
async function expectSound(page: Page, what: string): Promise<void> {
  await expectAccessible(page, what);
  for (const [width, height] of [[390, 844], [1440, 900]] as const) {
    await page.setViewportSize({ width, height });
    expect(await page.evaluate(() => document.documentElement.scrollWidth), what).toBeLessThanOrEqual(width);
    if (PICTURES === undefined) continue;
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${PICTURES}/${what.replaceAll(" ", "-")}-${width}-${colorScheme}.png` });
    }
  }
}

async function makeSensor(name: string, more: object = {}): Promise<string> {
  const profile = { kind: "linear", slope: 2, intercept: 1, input_range: [0, 10] };
  const made = await bench.post<{ id: string }>(`/projects/${bench.projectId}/sensors`, { name, type: "pressure", input_unit: "V", display_unit: "bar", profile, ...more });
  return made.id;
}

test("an owner sets limits, and a test packet shows what it becomes", async ({ page }) => {
  const heard = complaints(page);
  const name = `Inlet ${suffix}`;
  const id = await makeSensor(name);
  await page.goto(`/p/${bench.projectId}/sensors/${id}`);
  const limits = page.getByRole("region", { name: "Limits of its token" });
  await expect(limits).toContainText("0.1 /s, 10 at once");
  await expect(limits).toContainText("Not held back in the last day.");
  await expectSound(page, "sensor");

  await test.step("limits: a refused field takes the focus, good ones are set", async () => {
    await page.getByRole("button", { name: `Edit the limits of ${name}` }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByLabel("Requests a second")).toBeFocused();
    await dialog.getByLabel("Requests a second").fill("0.5");
    await expect(dialog).toContainText("one every 2 s");
    await dialog.getByLabel("At once, after a pause").fill("10,000");
    await dialog.getByRole("button", { name: "Save" }).click();
    const burst = dialog.getByLabel("At once, after a pause");
    await expect(burst).toBeFocused();
    await expect(burst).toHaveAccessibleDescription(/A whole number from 1 to 100,000/);
    await expectSound(page, "limits");
    await burst.fill("20");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog).toBeHidden();
    await expect(limits).toContainText("0.5 /s, 20 at once");
    const { limits: stored } = await bench.get<{ limits: unknown }>(`/sensors/${id}`);
    expect(stored).toEqual({ requests_per_s: 0.5, burst: 20, samples_per_s: 10_000 });
  });

  await test.step("a packet is tried without a trace, then sent for good", async () => {
    await page.getByRole("button", { name: "Test packet" }).click();
    const dialog = page.getByRole("dialog", { name: `Test packet for ${name}` });
    const answer = dialog.getByRole("status", { name: "What became of it" });
    await dialog.getByLabel("Raw value").fill("2.5");
    await dialog.getByLabel("Raw value").press("Enter");
    await expect(answer).toContainText("Tried, nothing kept");
    await expect(answer).toContainText("6.000bar");
    await expect(answer).toContainText(/raw 2.5 V · converted by v1/);
    expect((await bench.get<{ received: number }>(`/sensors/${id}/ledger`)).received).toBe(0);

    await dialog.getByRole("button", { name: "Send test packet" }).click();
    await expect(answer).toContainText("Kept 1 of 1");
    await expect.poll(async () => (await bench.get<{ received: number }>(`/sensors/${id}/ledger`)).received).toBe(1);
    await expectSound(page, "test packet");

    await dialog.getByText("JSON packet", { exact: true }).click();
    await dialog.getByRole("button", { name: "Only try" }).click();
    await expect(dialog.getByRole("textbox", { name: "JSON packet" })).toBeFocused();
    await dialog.getByRole("textbox", { name: "JSON packet" }).fill('{"samples": [{"t": 4102444800, "v": 1}, {"v": 77}, {"t": 1, "v": "warm"}]}');
    await dialog.getByRole("button", { name: "Only try" }).click();
    await expect(answer).toContainText("out of range");
    await expect(answer).toContainText("time-future");
    await expectSound(page, "refused packet");
    await dialog.getByRole("button", { name: "Close" }).click();
  });

  await test.step("what else it is can be changed", async () => {
    await page.getByRole("button", { name: "Edit the sensor" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Time of a sample").selectOption("arrival");
    await dialog.getByLabel("Heartbeat interval").fill("30");
    await expectSound(page, "change sensor");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("region", { name: "Sensor", exact: true })).toContainText("every 30 s");
    const changed = await bench.get<{ time_source: string; name: string; agent_id: unknown }>(`/sensors/${id}`);
    expect(changed).toMatchObject({ time_source: "arrival", name, agent_id: null });
  });
  expect(heard).toEqual([]);
});

test("a spectrum is registered with its axis and tested with an array", async ({ page }) => {
  const heard = complaints(page);
  const name = `Spectrum ${suffix}`;
  await page.goto(`/p/${bench.projectId}/sensors/new`);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Type").selectOption("vibration_spectrum");
  await page.getByLabel("Each sample is an array of numbers").check();
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByLabel("Quantity")).toBeFocused();
  await page.getByLabel("Quantity").fill("frequency");
  await page.getByLabel("Step", { exact: true }).fill("2");
  await page.getByLabel("Number of values").fill("512");
  await expect(page.getByText("512 values, 0 … 1,022 Hz, every 2 Hz")).toBeVisible();
  await expectSound(page, "axis");
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByRole("heading", { name: "Units and conversion" })).toBeFocused();
  await page.getByLabel("Slope").fill("3");
  await page.getByRole("button", { name: "Register the sensor" }).click();
  await expect(page.getByRole("heading", { name: "Connect and test" })).toBeFocused();
  const packet = page.getByRole("region", { name: "Test packet" });
  await packet.getByLabel("Raw values, a JSON array").fill("[1, 2, 3]");
  await packet.getByRole("button", { name: "Only try" }).click();
  const answer = packet.getByRole("status", { name: "What became of it" });
  await expect(answer).toContainText("512");
  await packet.getByRole("button", { name: "Fill in an example" }).click();
  await packet.getByRole("button", { name: "Send test packet" }).click();
  await expect(answer).toContainText("Kept 1 of 1");
  await expect(answer).toContainText("greatest of 512 values");
  await expect(page.getByText("Receiving")).toBeVisible();
  await expectSound(page, "connect");

  await page.getByRole("button", { name: "Finish" }).click();
  await page.getByRole("link", { name, exact: true }).click();
  await expect(page.getByRole("region", { name: "Sensor", exact: true })).toContainText("512 values, 0 … 1,022 Hz, every 2 Hz, frequency");
  expect(heard).toEqual([]);
});

test("edge agents show how they are doing; an owner makes and changes them", async ({ page }) => {
  const heard = complaints(page);
  await page.goto(`/p/${bench.projectId}/settings?tab=agents`);
  // The demo's own agent runs and told so.
  await expect(page.getByRole("row").filter({ hasText: "online" }).first()).toBeVisible();

  await page.getByRole("button", { name: "New edge agent" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill(`rig ${suffix}`);
  await dialog.getByRole("button", { name: "Create the agent" }).click();
  const token = await dialog.getByLabel("Token").inputValue();
  await expectSound(page, "new agent");
  await dialog.getByRole("button", { name: "Close" }).click();
  const row = page.getByRole("row").filter({ hasText: `rig ${suffix}` });
  await expect(row).toContainText("no status");

  const report = { state: "buffering", version: "0.1.0", waiting: 1280, waiting_bytes: 40_960, spool_bytes: 2_147_483_648, oldest_age_s: 95, dropped: 42, hub_problem: "HTTP 503" };
  const reported = await fetch(`${BASE}/api/v1/edge/status`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify(report),
  });
  expect(reported.status).toBe(204);
  await expect(row).toContainText("buffering", { timeout: 15_000 });
  await expect(row).toContainText("1,280");
  await expect(row.getByRole("cell", { name: "42", exact: true })).toBeVisible();

  await page.getByRole("button", { name: `Edit rig ${suffix}` }).click();
  await dialog.getByLabel("Samples a second, in all").fill("5000");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(row).toContainText("5,000 /s");
  await expectSound(page, "edge agents");

  // The monitor tells it at the foot of its panel, and leads back here.
  await page.getByRole("link", { name: "Monitor", exact: true }).click();
  const told = page.getByRole("complementary").getByRole("listitem").filter({ hasText: `rig ${suffix}` });
  await expect(told).toContainText("buffering");
  await expect(told).toContainText("1,280");
  await expectSound(page, "monitor with edge agents");
  await told.getByRole("link").click();
  await page.waitForURL(/settings\?tab=agents$/);

  await page.getByRole("button", { name: `Delete rig ${suffix}` }).click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await expect(row).toHaveCount(0);
  expect(heard).toEqual([]);
});
