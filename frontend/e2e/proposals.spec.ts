/** A device that nobody knows: proposed in the monitor, accepted as a sensor whose earlier samples are there. */

import { expect, test, type APIRequestContext } from "@playwright/test";

import { complaints, expectAccessible } from "./page-checks";

const EMAIL = process.env.ETP_E2E_EMAIL ?? "owner@example.com";
const PASSWORD = process.env.ETP_E2E_PASSWORD ?? "demo-password";
const PHONE = { width: 390, height: 844 };

interface Made {
  readonly id: string;
  readonly token: string;
}

/** A project of its own with a gateway, so that nothing else is proposed there. */
async function gateway(request: APIRequestContext, name: string): Promise<{ readonly project: string; readonly token: string; readonly user: string }> {
  const login = await request.post("/api/v1/auth/login", { data: { email: EMAIL, password: PASSWORD } });
  const { access_token: user } = (await login.json()) as { access_token: string };
  const headers = { Authorization: `Bearer ${user}` };
  const project = (await (await request.post("/api/v1/projects", { headers, data: { name } })).json()) as Made;
  const agent = await request.post(`/api/v1/projects/${project.id}/edge-agents`, { headers, data: { name: "telegraf" } });
  return { project: project.id, token: ((await agent.json()) as Made).token, user };
}

test("a proposal becomes a sensor", async ({ page, request }) => {
  const heard = complaints(page);
  const { project, token, user } = await gateway(request, `Proposals ${Date.now().toString(36)}`);
  const write = async (line: string): Promise<void> => {
    const answer = await request.post("/api/v2/write", { headers: { Authorization: `Token ${token}`, "Content-Type": "text/plain" }, data: line });
    expect(answer.status(), await answer.text()).toBe(204);
  };
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  await write(`bath,lab=3 temperature=21.5,humidity=40 ${nowNs - 2_000_000_000n}\nbath,lab=3 temperature=21.75 ${nowNs - 1_000_000_000n}\ncpu,host=pi usage=3 ${nowNs}`);

  await page.goto(`/p/${project}/monitor`);
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("link", { name: "3 proposals" }).click();
  await expect(page.getByRole("row")).toHaveCount(4);
  await expectAccessible(page, "proposals");
  await page.setViewportSize(PHONE);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  await page.setViewportSize({ width: 1440, height: 900 });

  await page.getByRole("button", { name: "Ignore cpu,host=pi/usage" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Ignore", exact: true }).click();
  await expect(page.getByRole("row")).toHaveCount(3);

  await page.getByRole("button", { name: "Accept bath,lab=3/temperature" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Name")).toHaveValue("bath 3 temperature");
  await expect(dialog.getByLabel("Type")).toHaveValue("temperature");
  await expect(dialog.getByLabel("Unit")).toHaveValue("°C");
  await expectAccessible(page, "accepting");
  await dialog.getByLabel("Name").fill("Bath");
  await dialog.getByRole("button", { name: "Accept", exact: true }).click();
  await expect(page.getByRole("status").filter({ hasText: "Bath takes the channel" })).toBeVisible();
  await expect(page.getByRole("row")).toHaveCount(2);

  await page.getByRole("link", { name: "Monitor", exact: true }).first().click();
  await expect(page.getByRole("link", { name: "1 proposal", exact: true })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Bath", exact: true })).toBeVisible();
  const headers = { Authorization: `Bearer ${user}` };
  const sensors = (await (await request.get(`/api/v1/projects/${project}/sensors`, { headers })).json()) as { items: Made[] };
  await expect
    .poll(async () => ((await (await request.get(`/api/v1/sensors/${sensors.items[0]?.id ?? ""}/samples`, { headers })).json()) as { physical: number[] }).physical)
    .toEqual([21.5, 21.75]);
  expect(heard).toEqual([]);
});
