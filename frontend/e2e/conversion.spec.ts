/** A calibration in a real browser: draft a version, fit it, try it, publish it with a backfill, and see both revisions. */

import { expect, test, type Page } from "@playwright/test";

import { Bench } from "./bench";
import { complaints, expectAccessible } from "./page-checks";

const EMAIL = process.env.ETP_E2E_EMAIL ?? "owner@example.com";
const PASSWORD = process.env.ETP_E2E_PASSWORD ?? "demo-password";
const BASE = process.env.ETP_E2E_URL ?? "http://127.0.0.1:8080";

let bench: Bench;

test.beforeAll(async () => {
  bench = await Bench.open(BASE, EMAIL, PASSWORD);
});

interface Recorded {
  readonly sensorId: string;
  readonly runPath: string;
}

/** A sensor (physical = 2 · raw) with a finished capture of some samples. */
async function recorded(name: string): Promise<Recorded> {
  const project = bench.projectId;
  const profile = { kind: "linear", slope: 2, intercept: 0, input_range: [0, 10] };
  const sensor = await bench.post<{ id: string }>(`/projects/${project}/sensors`, { name, type: "pressure", input_unit: "V", display_unit: "bar", profile });
  const experiment = await bench.post<{ id: string }>(`/projects/${project}/experiments`, { name });
  const run = await bench.post<{ id: string }>(`/experiments/${experiment.id}/runs`, { name: "calibration" });
  await bench.put(`/runs/${run.id}/sensors`, { sensors: [{ sensor_id: sensor.id }] });
  await bench.post(`/runs/${run.id}/start`, {});
  await bench.take(sensor.id);
  const capture = await bench.post<{ id: string }>(`/runs/${run.id}/captures`, {});
  bench.start();
  await expect.poll(() => bench.published.get(sensor.id)?.length ?? 0).toBeGreaterThan(50);
  await bench.stop();
  await bench.post(`/captures/${capture.id}/stop`, {});
  return { sensorId: sensor.id, runPath: `/p/${project}/experiments/${experiment.id}/runs/${run.id}` };
}

async function logIn(page: Page): Promise<void> {
  await page.goto("/");
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(/\/monitor$/);
}

test("a calibration, from reference pairs to both revisions", async ({ page }) => {
  const heard = complaints(page);
  const name = `calibrated ${Date.now()}`;
  const { sensorId, runPath } = await recorded(name);
  await logIn(page);
  await page.getByRole("link", { name, exact: true }).click();
  await page.waitForURL(new RegExp(`/sensors/${sensorId}$`));
  await expect(page.getByRole("button", { name: /v1 active/ })).toBeVisible();
  await expect(page.getByRole("img", { name: "Curve v1" })).toBeVisible();
  await expectAccessible(page, "sensor");

  await page.getByRole("button", { name: "New version" }).click();
  await page.getByLabel("Reference pairs").fill("0 1.01\n1 3.99\n2 7.02\n3 9.98");
  await page.getByRole("button", { name: "Fit", exact: true }).click();
  await expect(page.getByRole("cell", { name: "+0.023" })).toBeVisible();
  await page.getByRole("button", { name: "Use this fit" }).click();
  await expect(page.getByLabel("Slope")).toHaveValue(/^2\.99/);
  await page.getByLabel("Slope").fill("3");
  await page.getByLabel("Intercept").fill("1");
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.getByText("mean change")).toBeVisible();
  await expectAccessible(page, "draft");
  await page.getByRole("button", { name: "Save draft" }).click();
  await expect(page.getByRole("heading", { name: /Draft v2/ })).toBeVisible();

  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByText("As soon as possible, and for old captures").click();
  await page.getByLabel("Days back").fill("1");
  await expectAccessible(page, "publish");
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText("v2 is published")).toBeVisible();
  await expect(page.getByRole("button", { name: /v2 (scheduled|active)/ })).toBeVisible();
  const backfills = page.locator("li").filter({ hasText: `${name} / run 1 · capture 1` });
  await expect(backfills.getByText("finished")).toBeVisible();
  await expect(backfills.getByText("largest change")).toBeVisible();
  await expect(page.getByRole("button", { name: /v2 active/ })).toBeVisible();

  await page.goto(`${runPath}?capture=1`);
  const revisions = page.getByLabel("Revision of the physical values");
  await expect(revisions).toHaveValue("2");
  const asked = page.waitForRequest((request) => request.url().includes("revision=1"));
  await revisions.selectOption("1");
  await asked;
  await expect(page).toHaveURL(/rev=1/);
  await expectAccessible(page, "revisions");

  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`/p/${bench.projectId}/sensors/${sensorId}`);
  await expect(page.getByRole("button", { name: /v2 active/ })).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  expect(heard).toEqual([]);
});

interface Vectors {
  readonly items: { readonly status: string }[];
}

test("a spectrum by both revisions", async ({ page }) => {
  const heard = complaints(page);
  const name = `spectrum ${Date.now()}`;
  const project = bench.projectId;
  const sensor = await bench.post<{ id: string; token: string }>(`/projects/${project}/sensors`, {
    name, type: "vibration_spectrum", input_unit: "V", display_unit: "g", profile: { kind: "linear", slope: 2, intercept: 0 },
    axis: { quantity: "frequency", unit: "Hz", start: 0, step: 10, count: 4 },
  });
  const experiment = await bench.post<{ id: string }>(`/projects/${project}/experiments`, { name });
  const run = await bench.post<{ id: string }>(`/experiments/${experiment.id}/runs`, { name: "calibration" });
  await bench.put(`/runs/${run.id}/sensors`, { sensors: [{ sensor_id: sensor.id }] });
  await bench.post(`/runs/${run.id}/start`, {});
  const sent = await fetch(`${BASE}/telemetry`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${sensor.token}` },
    body: JSON.stringify({ samples: [{ t: Date.now() / 1000 - 5, v: [1, 5, 2, 0.5] }] }),
  });
  expect(sent.status).toBe(202);
  const capture = await bench.post<{ id: string }>(`/runs/${run.id}/captures`, { pre_roll_s: 30 });
  await bench.post(`/captures/${capture.id}/stop`, {});
  const draft = await bench.post<{ id: string }>(`/sensors/${sensor.id}/profiles`, { payload: { kind: "linear", slope: 30, intercept: 0 } });
  await bench.post(`/profiles/${draft.id}/publish`, {});

  await logIn(page);
  await page.goto(`/p/${project}/sensors/${sensor.id}`);
  await page.getByRole("button", { name: "Back-fill a capture" }).click();
  await page.getByRole("dialog").getByLabel("Version").selectOption(draft.id);
  await page.getByRole("button", { name: "What would change?" }).click();
  await expect(page.getByText("1 of 1 greatest elements")).toBeVisible();
  await expect(page.getByText("4 of 4 elements")).toBeVisible();
  await expectAccessible(page, "backfill of vectors");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await expect.poll(async () => (await bench.get<Vectors>(`/projects/${project}/backfills?sensor_id=${sensor.id}`)).items[0]?.status).toBe("finished");
  await expect(page.getByText("4 of 4 elements")).toBeVisible();

  await page.goto(`/p/${project}/experiments/${experiment.id}/runs/${run.id}?capture=1`);
  const readout = page.locator("figcaption");
  await expect(readout).toContainText("10.00 Hz 150.0 g");
  await page.getByLabel("Revision of the physical values").selectOption("1");
  await expect(readout).toContainText("10.00 Hz 10.00 g");
  await expectAccessible(page, "revisions of vectors");
  expect(heard).toEqual([]);
});
