/** The run page tells the whole truth: lines break where the hub says, counts tick by themselves, nothing jumps. */

import { expect, test, type Page } from "@playwright/test";

import { Bench } from "./bench";
import { complaints } from "./page-checks";

const EMAIL = process.env.ETP_E2E_EMAIL ?? "owner@example.com";
const PASSWORD = process.env.ETP_E2E_PASSWORD ?? "demo-password";
const BASE = process.env.ETP_E2E_URL ?? "http://127.0.0.1:8080";

interface Made {
  readonly id: string;
  readonly token: string;
}

interface Opened {
  readonly bench: Bench;
  readonly sensor: Made;
  readonly run: Made;
  readonly address: string;
}

/** Log in, and make a run that goes on with one sensor. */
async function open(page: Page, name: string): Promise<Opened> {
  await page.goto("/");
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(/\/monitor$/);
  const bench = await Bench.open(BASE, EMAIL, PASSWORD);
  const { projectId } = bench;
  const profile = { kind: "linear", slope: 2, intercept: 1 };
  const fields = { name, type: "pressure", input_unit: "V", display_unit: "bar", profile, heartbeat_interval_s: 60 };
  const sensor = await bench.post<Made>(`/projects/${projectId}/sensors`, fields);
  const experiment = await bench.post<Made>(`/projects/${projectId}/experiments`, { name });
  const run = await bench.post<Made>(`/experiments/${experiment.id}/runs`, { name: "one" });
  await bench.put(`/runs/${run.id}/sensors`, { sensors: [{ sensor_id: sensor.id }] });
  await bench.post(`/runs/${run.id}/start`, {});
  return { bench, sensor, run, address: `/p/${projectId}/experiments/${experiment.id}/runs/${run.id}` };
}

async function send(sensor: Made, samples: readonly { t: number; v: number }[]): Promise<void> {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${sensor.token}` };
  const answer = await fetch(`${BASE}/telemetry`, { method: "POST", headers, body: JSON.stringify({ samples }) });
  expect(answer.status).toBe(202);
}

/** Which parts of the picture, as shares of its width, the curve of physical values does not cross. */
async function holes(page: Page, name: string): Promise<[number, number][]> {
  return page.getByRole("region", { name, exact: true }).evaluate((chart) => {
    const canvas = chart.querySelector("canvas");
    const plot = chart.querySelector(".u-over")?.getBoundingClientRect();
    const pen = canvas?.getContext("2d");
    if (canvas == null || plot === undefined || pen == null) return [[0, 1] as [number, number]];
    const probe = document.createElement("i");
    probe.style.color = "var(--physical)";
    chart.append(probe);
    const wanted = (getComputedStyle(probe).color.match(/\d+/g) ?? []).map(Number);
    probe.remove();
    const { left, top } = canvas.getBoundingClientRect();
    const width = Math.floor(plot.width);
    // Below the word that stands in a hatch, above the labels of the axis.
    const height = Math.floor(plot.height) - 24;
    const { data } = pen.getImageData(Math.round(plot.left - left), Math.round(plot.top - top) + 24, width, height);
    const crossed = Array.from({ length: width }, (_, x) => {
      for (let y = 0; y < height; y += 1) {
        const at = 4 * (y * width + x);
        if (wanted.every((part, k) => Math.abs((data[at + k] ?? 0) - part) < 60)) return true;
      }
      return false;
    });
    const found: [number, number][] = [];
    for (let x = 0; x < width; x += 1) {
      if (crossed[x] === true) continue;
      const last = found.at(-1);
      if (last?.[1] === x / width) last[1] = (x + 1) / width;
      else found.push([x / width, (x + 1) / width]);
    }
    return found.filter(([a, b]) => (b - a) * width > 2);
  });
}

test("a stored line breaks where the hub says and nowhere else", async ({ page }) => {
  const heard = complaints(page);
  const { bench, sensor, run, address } = await open(page, "Gappy gauge");
  const start = Math.floor(Date.now() / 1000) - 100;
  // A second apart, once four (late, but no gap by the median) and once seven (a gap).
  const seconds = Array.from({ length: 80 }, (_, i) => i).filter((i) => !(i > 20 && i < 24) && !(i > 50 && i < 57));
  await send(sensor, seconds.map((i) => ({ t: start + i, v: 1 + i / 1000 })));
  const capture = await bench.post<Made>(`/runs/${run.id}/captures`, { pre_roll_s: 120 });
  await bench.post(`/captures/${capture.id}/stop`, {});
  const told = await bench.get<{ gaps: number[][] }>(`/captures/${capture.id}/samples?sensor_id=${sensor.id}`);
  expect(told.gaps).toEqual([[start + 50, start + 57]]);

  await page.goto(`${address}?capture=1&from=${start}&to=${start + 79}`);
  const shown = async (): Promise<number[][]> => (await holes(page, "Gappy gauge")).map((hole) => hole.map((share) => Math.round(share * 79)));
  await expect.poll(shown).toEqual([[50, 57]]);
  if (process.env.ETP_E2E_PICTURES !== undefined) {
    for (const scheme of ["light", "dark"] as const) {
      for (const [width, height] of [[1440, 900], [390, 844]] as const) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height });
        await page.waitForTimeout(600);
        await page.screenshot({ path: `${process.env.ETP_E2E_PICTURES}/gap-${scheme}-${width}.png` });
      }
    }
  }
  expect(heard).toEqual([]);
});

test("a capture's counts tick by themselves, and the page does not jump as its parts arrive", async ({ page }) => {
  const { bench, sensor, run, address } = await open(page, "Ticking gauge");
  await bench.post<Made>(`/runs/${run.id}/captures`, {});
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/ledger")) asked.push(request.url());
  });
  await page.addInitScript(() => {
    const seen = window as unknown as { shifts: number };
    seen.shifts = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[]) seen.shifts += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(address);
  const delivered = page.getByRole("region", { name: "Capture" }).first();
  for (const round of [1, 2, 3]) {
    await send(sensor, Array.from({ length: 7 }, (_, i) => ({ t: Date.now() / 1000 + i / 1e4, v: i })));
    await expect(delivered).toContainText(`${7 * round} `, { timeout: 6_000 });
  }
  expect(asked.length, asked.join(" ")).toBeLessThanOrEqual(2);
  expect(await page.evaluate(() => (window as unknown as { shifts: number }).shifts)).toBeLessThan(0.1);
  await page.getByRole("button", { name: "Finish", exact: false }).first().click();
  await expect(page.getByRole("dialog")).toBeVisible();
});
