/** The product's main job in a real browser: log in, add a sensor, run, record, look at it, take it home, exactly. */

import { readFileSync } from "node:fs";

import { expect, test, type Page } from "@playwright/test";

import { Bench, microseconds, rfc3339 } from "./bench";
import { complaints, expectAccessible } from "./page-checks";

const EMAIL = process.env.ETP_E2E_EMAIL ?? "owner@example.com";
const PASSWORD = process.env.ETP_E2E_PASSWORD ?? "demo-password";
const BASE = process.env.ETP_E2E_URL ?? "http://127.0.0.1:8080";
const SLOPE = 2.5;
const INTERCEPT = -1;

interface Capture {
  readonly id: string;
  readonly ordinal_number: number;
  readonly started_at: string;
  readonly stopped_at: string;
}

let bench: Bench;

test.beforeAll(async () => {
  bench = await Bench.open(BASE, EMAIL, PASSWORD);
});

test.afterAll(async () => {
  await bench.stop();
});

async function logIn(page: Page): Promise<void> {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Log in" })).toBeVisible();
  await expectAccessible(page, "login");
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill("wrong-password");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(/\/monitor$/);
}

/** Register a sensor through the form, try one value on it, and return its id. */
async function addSensor(page: Page, name: string): Promise<string> {
  await page.getByRole("button", { name: "New sensor" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Type").selectOption("pressure");
  await page.getByLabel("Heartbeat interval").fill("2");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Input unit, raw").fill("V");
  await page.getByLabel("Display unit, physical").fill("bar");
  await page.getByLabel("Slope").fill(String(SLOPE));
  await page.getByLabel("Intercept").fill(String(INTERCEPT));
  await page.getByLabel("Try a raw value").fill("2");
  await expect(page.getByRole("status").or(page.locator("output")).filter({ hasText: "4.000" }).first()).toBeVisible();
  const answered = page.waitForResponse((response) => response.request().method() === "POST" && response.url().endsWith("/sensors"));
  await page.getByRole("button", { name: "Register the sensor" }).click();
  const { id } = (await (await answered).json()) as { id: string };
  await expect(page.getByLabel("Token", { exact: true })).not.toHaveValue("");
  await page.getByLabel("Raw value", { exact: true }).fill("2");
  await page.getByRole("button", { name: "Send test packet" }).click();
  await expect(page.getByText("Kept 1 of 1")).toBeVisible();
  await expect(page.getByText("Receiving")).toBeVisible();
  // In the answer, and live beside it.
  await expect(page.getByText("4.000", { exact: true })).toHaveCount(2);
  return id;
}

async function finishSensor(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Finish" }).click();
  await page.waitForURL(/\/monitor$/);
}

interface CsvRow {
  readonly timestamp: string;
  readonly sensorId: string;
  readonly raw: number;
  readonly physical: number;
  readonly status: string;
}

function readCsv(path: string): CsvRow[] {
  const [head, ...lines] = readFileSync(path, "utf8").trimEnd().split(/\r?\n/);
  expect(head).toBe("timestamp,sensor_id,sensor,raw_value,physical_value,unit,profile_version,status");
  return lines.map((line) => {
    const [timestamp = "", sensorId = "", , raw = "", physical = "", , , status = ""] = line.split(",");
    return { timestamp, sensorId, raw: Number(raw), physical: Number(physical), status };
  });
}

test("from the first sensor to the file at home", async ({ page }) => {
  const heard = complaints(page);
  const suffix = Date.now().toString(36);
  const names = [`Inlet ${suffix}`, `Outlet ${suffix}`] as const;
  const ids: string[] = [];

  await test.step("log in and see the monitor", async () => {
    await logIn(page);
    // One refused login was asked for; nothing else may complain from here on.
    expect(heard.splice(0).filter((text) => !text.includes("401"))).toEqual([]);
    await expect(page.getByRole("heading", { name: "Monitor" })).toBeAttached();
  });

  await test.step("add two sensors and test a value on each", async () => {
    for (const [i, name] of names.entries()) {
      ids.push(await addSensor(page, name));
      if (i === 0) await expectAccessible(page, "new sensor");
      await finishSensor(page);
    }
    for (const id of ids) await bench.take(id);
    bench.start();
  });

  await test.step("the monitor shows them live", async () => {
    await page.getByLabel("Filter by name").fill(suffix);
    for (const name of names) {
      const tile = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name }) });
      await expect(tile).toHaveAttribute("data-state", "online");
      await expect(tile).toContainText(/[1-9]\d samples\/s/);
      await expect(tile).toContainText("bar");
    }
    await expectAccessible(page, "monitor");
    await page.getByLabel("Filter by name").fill("");
    await page.getByText("Table", { exact: true }).click();
    await expect(page.getByRole("row", { name: `${names[0]} online` })).toContainText("bar");
    await page.reload();
    await expect(page.getByRole("radio", { name: "Table" }), "view state survives a reload").toBeChecked();
    await expectAccessible(page, "monitor as a table");
  });

  await test.step("create an experiment and a run, bind the sensors", async () => {
    await page.getByRole("link", { name: "Experiments" }).click();
    await page.getByRole("button", { name: "New experiment" }).first().click();
    await page.getByLabel("Name", { exact: true }).fill(`Valve ${suffix}`);
    await page.getByLabel("Tags").fill("e2e");
    await expectAccessible(page, "new experiment");
    await page.getByRole("button", { name: "Create experiment" }).click();
    await expect(page.getByRole("heading", { name: `Valve ${suffix}` })).toBeVisible();
    await page.getByRole("button", { name: "New run" }).first().click();
    await page.getByLabel("Name", { exact: true }).fill("half open");
    await page.getByLabel("Parameters").fill("opening = 50");
    await page.getByRole("button", { name: "Create run" }).click();
    await page.waitForURL(/\/runs\//);
    await expect(page.getByRole("button", { name: "Start capture" })).toHaveAttribute("aria-disabled", "true");
    await page.getByRole("button", { name: "Choose sensors" }).click();
    for (const name of names) await page.getByRole("checkbox", { name }).check();
    await expectAccessible(page, "choose sensors");
    await page.getByRole("button", { name: "Bind 2 sensors" }).click();
    await page.getByRole("button", { name: "Start run" }).click();
  });

  const chart = (name: string) => page.getByRole("region", { name });
  const readout = async (name: string): Promise<number> => {
    const text = await chart(name).getByRole("button", { name: /physical/ }).locator("b").textContent();
    return Number(text?.replace("\u2212", "-"));
  };

  await test.step("live charts move, layers and axis answer", async () => {
    for (const name of names) {
      await expect(chart(name).locator("canvas")).toBeVisible();
      await expect.poll(() => readout(name)).toBeGreaterThan(0);
      const first = await readout(name);
      await expect.poll(() => readout(name), "the value goes on").not.toBe(first);
    }
    const raw = chart(names[0]).getByRole("button", { name: /raw/ });
    await raw.click();
    await expect(raw).toHaveAttribute("aria-pressed", "false");
    const lock = chart(names[1]).getByRole("button", { name: "Lock the axis" });
    await lock.click();
    await expect(lock).toHaveAttribute("aria-pressed", "true");
    await page.keyboard.press("Space");
    await expect(page.getByRole("button", { name: /Resume/ })).toBeVisible();
    // What was on its way when the view froze may still come in; then the value, new five times a second, stands still.
    await expect
      .poll(
        async () => {
          const before = await readout(names[0]);
          await page.waitForTimeout(1000);
          return (await readout(names[0])) === before;
        },
        { message: "a frozen view stands still" },
      )
      .toBe(true);
    await page.getByRole("button", { name: /Resume/ }).click();
    await page.getByText("−30 s", { exact: true }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("w")).toBe("30");
  });

  await test.step("start and stop a capture", async () => {
    const start = page.getByRole("button", { name: "Start capture" });
    const idle = await start.evaluate((node) => getComputedStyle(node).backgroundColor);
    await start.click();
    const stop = page.getByRole("button", { name: "Hold to stop" });
    await expect(stop).toBeVisible();
    expect(await stop.evaluate((node) => getComputedStyle(node).backgroundColor), "the button changes colour").not.toBe(idle);
    await expect(page.getByRole("banner").getByRole("link", { name: /recording/i })).toBeVisible();
    await expect(page.getByText(/Capture 1, delivered/)).toBeVisible();
    await expect(page.getByRole("region", { name: "Capture", exact: true })).toContainText(/[1-9]\d\d samples/);
    await expectAccessible(page, "run while recording");
    await stop.click();
    await expect(stop, "a short press stops nothing").toBeVisible();
    const box = await stop.boundingBox();
    if (box === null) throw new Error("the stop button has no place");
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await expect(start).toBeVisible();
    await page.mouse.up();
    await expect(page.getByText("Capture 1 finished")).toBeVisible();
  });

  let capture: Capture | undefined;
  await test.step("every sample arrives", async () => {
    const runId = /runs\/([0-9a-f-]+)/.exec(page.url())?.[1] ?? "";
    capture = (await bench.get<{ items: Capture[] }>(`/runs/${runId}/captures`)).items[0];
    const stoppedUs = microseconds(capture?.stopped_at ?? "");
    await expect.poll(() => Math.min(...ids.map((id) => bench.published.get(id)?.at(-1)?.tUs ?? 0))).toBeGreaterThan(stoppedUs);
    await expect.poll(async () => (await bench.get<{ stored: number }>(`/captures/${capture?.id ?? ""}/ledger`)).stored).toBe(expected().length);
  });

  /** Acknowledged samples inside the capture, as its rows must read. */
  function expected(): { timestamp: string; sensorId: string; raw: number }[] {
    if (capture === undefined) return [];
    const [from, to] = [microseconds(capture.started_at), microseconds(capture.stopped_at)];
    return ids.flatMap((sensorId) =>
      (bench.published.get(sensorId) ?? [])
        .filter(({ tUs }) => tUs >= from && tUs < to)
        .map(({ tUs, value }) => ({ timestamp: rfc3339(tUs), sensorId, raw: value })),
    );
  }

  await test.step("the stored capture stands on the same charts", async () => {
    await page.getByRole("complementary").getByRole("button", { name: /1 · finished/ }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("capture")).toBe("1");
    const last = expected().filter((row) => row.sensorId === ids[0]).sort((a, b) => a.timestamp.localeCompare(b.timestamp)).at(-1);
    await expect.poll(() => readout(names[0])).toBeCloseTo(SLOPE * (last?.raw ?? NaN) + INTERCEPT, 2);
    await expectAccessible(page, "stored capture");
  });

  await test.step("its CSV holds exactly what was published", async () => {
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "CSV" }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(/run-1-capture-1\.csv$/);
    const rows = readCsv(await download.path());
    const key = (row: { timestamp: string; sensorId: string }): string => `${row.sensorId} ${row.timestamp}`;
    const wanted = expected().sort((a, b) => key(a).localeCompare(key(b)));
    const got = [...rows].sort((a, b) => key(a).localeCompare(key(b)));
    expect(wanted.length).toBeGreaterThan(100);
    expect(got.map(({ timestamp, sensorId, raw }) => ({ timestamp, sensorId, raw }))).toEqual(wanted);
    expect(rows.every((row) => row.status === "ok")).toBe(true);
    expect(got.map((row) => row.physical)).toEqual(wanted.map((row) => SLOPE * row.raw + INTERCEPT));
    expect(new URL(page.url()).pathname, "the page stays where it was").toMatch(/\/runs\//);
  });

  await test.step("keys, palette and the other pages", async () => {
    await page.keyboard.press("?");
    await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
    await expectAccessible(page, "keys");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search or go to" }).fill(`Valve ${suffix}`);
    await expectAccessible(page, "palette");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: `Valve ${suffix}` })).toBeVisible();
    await expectAccessible(page, "experiment");
    await page.getByRole("navigation").getByRole("link", { name: "Experiments" }).click();
    await expect(page.getByRole("link", { name: `Valve ${suffix}` })).toBeVisible();
    await expectAccessible(page, "experiments");
  });

  await test.step("finish the run and log out", async () => {
    await page.goBack();
    await page.getByRole("link", { name: "Run 1" }).click();
    await page.getByRole("button", { name: "Finish run" }).click();
    await expectAccessible(page, "finish run");
    await page.getByRole("button", { name: "Succeeded" }).click();
    await expect(page.getByText("succeeded").first()).toBeVisible();
    await page.getByRole("button", { name: /, menu$/ }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await expect(page.getByRole("heading", { name: "Log in" })).toBeVisible();
    await page.goto("/");
    await expect(page.getByRole("heading", { name: "Log in" }), "the session has ended").toBeVisible();
  });

  expect(heard).toEqual([]);
});
