/** Who may come in and what they may do, in a real browser: invite, second factor, roles, raw values, tokens, audit. */

import { readFileSync } from "node:fs";

import { expect, test, type Page } from "@playwright/test";

import { complaints, expectAccessible } from "./page-checks";
import { totp } from "./totp";

const EMAIL = process.env.ETP_E2E_EMAIL ?? "owner@example.com";
const PASSWORD = process.env.ETP_E2E_PASSWORD ?? "demo-password";
const BASE = process.env.ETP_E2E_URL ?? "http://127.0.0.1:8080";
const NEW_PASSWORD = "kettle bracket winter 19";
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1440, height: 900 };

async function logIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

async function open(page: Page, tab: string): Promise<void> {
  await page.getByRole("link", { name: tab, exact: true }).click();
}

/** axe in both schemes, and on a phone nothing reaches beyond the edge. */
async function expectSound(page: Page, what: string): Promise<void> {
  await expectAccessible(page, what);
  await page.setViewportSize(PHONE);
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(beyond, `${what} on a phone`).toBeLessThanOrEqual(0);
  await page.setViewportSize(DESK);
}

/** Register a sensor in a project through the API, so that there is a token to look at. */
async function addSensor(page: Page, projectId: string, name: string): Promise<string> {
  const login = await fetch(`${BASE}/api/v1/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: EMAIL, password: PASSWORD }),
  });
  const { access_token: token } = (await login.json()) as { access_token: string };
  const made = await page.request.post(`${BASE}/api/v1/projects/${projectId}/sensors`, {
    headers: { Authorization: `Bearer ${token}` },
    data: { name, type: "pressure", input_unit: "V", display_unit: "V" },
  });
  expect(made.status(), await made.text()).toBe(201);
  return ((await made.json()) as { token: string }).token;
}

test("from the invite to the audit", async ({ page, browser }) => {
  const suffix = Date.now().toString(36);
  const project = `Access ${suffix}`;
  const guest = { name: `Ada ${suffix}`, email: `ada-${suffix}@example.com` };
  const heard = complaints(page);
  let link = "";
  let projectId = "";
  let deviceToken = "";

  await test.step("a wrong password is refused, the right one opens; the ways beside it are there", async () => {
    await page.goto("/settings-of-nothing");
    await expect(page.getByRole("heading", { name: "Log in" })).toBeVisible();
    await logIn(page, EMAIL, "wrong-password");
    await expect(page.getByRole("alert")).toContainText("E-mail or password is wrong");
    await expectSound(page, "login");
    await page.getByRole("link", { name: "Forgot the password?" }).click();
    await expect(page.getByRole("heading", { name: "New password" })).toBeVisible();
    await page.getByLabel("E-mail").fill(`nobody-${suffix}@example.com`);
    await expectSound(page, "forgot");
    await page.getByRole("button", { name: "Send the link" }).click();
    await expect(page.getByRole("status")).toContainText("a letter is on its way");
    await page.goto("/reset#a-token-of-no-letter");
    await expect(page.getByLabel("New password")).toBeVisible();
    await expect.poll(() => page.url(), "the token has left the address").not.toContain("token");
    await page.getByLabel("New password").fill("elevenchars");
    await expect(page.getByText("11 of 15 characters")).toBeVisible();
    await expectSound(page, "reset");
    await page.getByLabel("New password").fill(NEW_PASSWORD);
    await page.getByRole("button", { name: "Set the password" }).click();
    await expect(page.getByRole("alert")).toContainText("This link is not good any more");
    await page.getByRole("link", { name: "Back to the login" }).click();
    await expect(page.getByRole("heading", { name: "Log in" })).toBeVisible();
    await logIn(page, EMAIL, PASSWORD);
    await page.waitForURL(/\/monitor$/);
  });

  await test.step("an owner makes a project and an invite into it", async () => {
    await page.goto("/projects/new");
    await page.getByLabel("Project name").fill(project);
    await page.getByRole("button", { name: "Create project" }).click();
    await page.waitForURL(/\/monitor$/);
    await expect(page.getByRole("button", { name: `Project ${project}, switch` })).toBeVisible();
    projectId = /\/p\/([^/]+)/.exec(page.url())?.[1] ?? "";
    deviceToken = await addSensor(page, projectId, `Inlet ${suffix}`);
    await open(page, "Settings");
    await expect(page.getByLabel("Project name")).toHaveValue(project);
    await expectSound(page, "settings");
    await open(page, "Members");
    await page.getByRole("button", { name: "Invite" }).click();
    await page.getByLabel("For whom").fill(guest.name);
    await page.getByLabel("Role", { exact: true }).selectOption("owner");
    await expectSound(page, "new invite");
    await page.getByRole("button", { name: "Make the invite" }).click();
    link = await page.getByLabel("Link for the invited").inputValue();
    await page.getByRole("button", { name: "Close" }).click();
    await expect(page.getByRole("row", { name: new RegExp(guest.name) })).toContainText("open");
    await open(page, "Device tokens");
    await expect(page.getByText("Device tokens are shown to owners with a second factor.")).toBeVisible();
    await expectSound(page, "device tokens");
  });

  const context = await browser.newContext({ viewport: DESK, locale: "en-GB" });
  const other = await context.newPage();
  heard.push(...complaints(other));
  let secret = "";

  await test.step("the invited person registers and lands in the project", async () => {
    await other.goto(`/register${new URL(link).hash}`);
    await expect(other.getByText(`You are invited into ${project} as owner.`)).toBeVisible();
    await other.getByLabel("Your name").fill(guest.name);
    await other.getByLabel("E-mail").fill(guest.email);
    await other.getByLabel("Password", { exact: true }).fill("password password");
    await expectSound(other, "register");
    await other.getByRole("button", { name: "Open the account" }).click();
    await expect(other.getByText("only unlike what others choose"), "the hub knows common passwords").toBeVisible();
    await other.getByLabel("Password", { exact: true }).fill(NEW_PASSWORD);
    await other.getByRole("button", { name: "Open the account" }).click();
    await other.waitForURL(`**/p/${projectId}/monitor`);
  });

  await test.step("sets up a second factor and logs in with it", async () => {
    await other.goto("/account");
    await expect(other.getByText("Not set up")).toBeVisible();
    await expectSound(other, "account");
    await other.getByRole("button", { name: "Set up a second factor" }).click();
    await other.getByRole("dialog").getByRole("textbox", { name: "Password" }).fill(NEW_PASSWORD);
    await other.getByRole("button", { name: "Next" }).click();
    await expect(other.getByRole("img", { name: /QR code/ })).toBeVisible();
    await expectSound(other, "second factor");
    secret = ((await other.locator("dialog code").textContent()) ?? "").replaceAll(" ", "");
    await other.getByRole("dialog").getByLabel("Code", { exact: true }).fill(totp(secret, -1));
    await other.getByRole("button", { name: "Switch it on" }).click();
    await expect(other.getByRole("listitem")).toHaveCount(10);
    await expectSound(other, "recovery codes");
    await other.keyboard.press("Escape");
    const close = other.getByRole("dialog").getByRole("button", { name: "Close" });
    await expect(close, "not before they are kept").toBeDisabled();
    const saved = other.waitForEvent("download");
    await other.getByRole("button", { name: "Save as text" }).click();
    expect(readFileSync(await (await saved).path(), "utf8").match(/^[A-Z2-9]+(-[A-Z2-9]+)+$/gm)).toHaveLength(10);
    await other.getByLabel("I have kept them").check();
    await close.click();
    await expect(other.getByText("10 codes left")).toBeVisible();
    await other.getByRole("button", { name: `${guest.name}, menu` }).click();
    await other.getByRole("menuitem", { name: "Log out" }).click();
    await expect(other.getByRole("heading", { name: "Log in" })).toBeVisible();
    await logIn(other, guest.email, NEW_PASSWORD);
    await expect(other.getByRole("heading", { name: "Second step" })).toBeVisible();
    await expectSound(other, "second step");
    await other.getByLabel("Code", { exact: true }).fill("000000");
    await other.getByRole("button", { name: "Log in" }).click();
    await expect(other.getByRole("alert")).toContainText("This code is not good");
    await other.getByLabel("Code", { exact: true }).fill(totp(secret));
    await other.getByRole("button", { name: "Log in" }).click();
    await other.waitForURL(`**/p/${projectId}/monitor`);
  });

  await test.step("sees a device's token with a code", async () => {
    await open(other, "Settings");
    await open(other, "Device tokens");
    await other.getByRole("button", { name: `View the token of Inlet ${suffix}` }).click();
    await other.getByLabel("Code", { exact: true }).fill(totp(secret, 1));
    await other.getByRole("dialog").getByRole("button", { name: "View", exact: true }).click();
    await expect(other.getByRole("dialog").getByLabel("Token", { exact: true })).toHaveValue(deviceToken);
    await expectSound(other, "a device's token");
    await other.keyboard.press("Escape");
  });

  await test.step("a change of the role reaches an open page, and says so", async () => {
    await open(other, "General");
    await expect(other.getByLabel("Project name")).toHaveValue(project);
    await open(page, "Members");
    await page.getByLabel(`Role of ${guest.name}`).selectOption("viewer");
    await expect(page.getByText(`${guest.name} is viewer now`)).toBeVisible();
    await expectSound(page, "members");
    await other.getByRole("textbox", { name: "Description" }).fill("written by somebody who may not");
    await other.getByRole("button", { name: "Save" }).click();
    await expect(other.getByText("Your role is viewer now")).toBeVisible();
    await expect(other.getByText("Editors and owners can change this.")).toBeVisible();
    await expect(other.getByText("Viewers read physical values only")).toBeVisible();
  });

  await test.step("an owner opens raw values to viewers, whose open pages hear of it", async () => {
    await open(other, "Monitor");
    await expect(other.getByRole("heading", { name: `Inlet ${suffix}` })).toBeVisible();
    await open(page, "General");
    const decide = async (who: RegExp): Promise<void> => {
      const radio = page.getByRole("radio", { name: who });
      if (await radio.isChecked()) return;
      const decided = page.waitForResponse((answer) => answer.request().method() === "PATCH");
      await radio.check();
      expect((await decided).status()).toBe(200);
    };
    // The page hears of changes from the moment on that it watches live values, which nothing on it shows.
    await expect(async () => {
      await decide(/Owners and editors/);
      await decide(/Everybody in the project/);
      await expect(other.getByText("Raw values are open to you now").first()).toBeVisible({ timeout: 5_000 });
    }).toPass();
    await page.reload();
    await expect(page.getByRole("radio", { name: /Everybody in the project/ })).toBeChecked();
  });

  await test.step("a personal token opens what it should until it is revoked", async () => {
    await other.goto("/account?tab=tokens");
    await other.getByRole("button", { name: "New token" }).click();
    await other.getByLabel("Name").fill("nightly report");
    await other.getByLabel("Project", { exact: true }).selectOption({ label: project });
    await expectSound(other, "new token");
    await other.getByRole("button", { name: "Make the token" }).click();
    const token = await other.getByRole("textbox", { name: "nightly report" }).inputValue();
    await other.getByRole("button", { name: "Close" }).click();
    const me = (): Promise<number> => fetch(`${BASE}/api/v1/auth/me`, { headers: { Authorization: `Bearer ${token}` } }).then((answer) => answer.status);
    expect(await me()).toBe(200);
    await expect(other.getByRole("row", { name: /nightly report/ })).toContainText(project);
    await expectSound(other, "personal tokens");
    await other.getByRole("button", { name: "Revoke nightly report" }).click();
    await other.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await expect(other.getByRole("heading", { name: "No personal tokens yet" })).toBeVisible();
    expect(await me()).toBe(401);
    await open(other, "Sessions");
    await expect(other.getByRole("row", { name: /Chrom\w* \d+ on Linux/ }).first()).toContainText("this one");
    await expectSound(other, "sessions");
  });

  await test.step("the audit tells all of it", async () => {
    await open(page, "Audit");
    for (const what of ["Member joined", "Sensor token viewed", "Role given", "Project settings changed"]) {
      await expect(page.getByRole("row", { name: new RegExp(what) }).first()).toBeVisible();
    }
    await page.getByRole("button", { name: "Project settings changed" }).first().click();
    const diff = page.getByRole("row", { name: /^raw values/ });
    await expect(diff).toContainText("physical-only");
    await expect(diff).toContainText("open");
    await expectSound(page, "audit");
    await page.getByLabel("Person").selectOption({ label: guest.name });
    await expect(page.getByRole("row", { name: /Sensor token viewed/ })).toContainText(`Inlet ${suffix}`);
    await expect(page.getByRole("row", { name: /Role given/ })).toHaveCount(0);
    await page.reload();
    await expect(page.getByLabel("Person"), "the filter survives a reload").toHaveValue(/.{36}/);
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save as CSV" }).click();
    const csv = readFileSync(await (await saved).path(), "utf8");
    expect(csv).toContain("sensor.token_viewed");
    expect(csv, "filtered as the list is").not.toContain("project.settings_changed");
  });

  await test.step("logging out everywhere ends what is open elsewhere, and the login says why", async () => {
    const elsewhere = await context.newPage();
    await elsewhere.goto("/account?tab=sessions");
    await elsewhere.getByRole("button", { name: "Log out everywhere" }).click();
    await elsewhere.getByRole("dialog").getByRole("button", { name: "Log out everywhere" }).click();
    await expect(elsewhere.getByRole("heading", { name: "Log in" })).toBeVisible();
    await expect(other.getByRole("heading", { name: "Log in" })).toBeVisible();
    await context.close();
  });

  // Refusals were asked for; nothing else may complain.
  expect(heard.filter((text) => !/status of 4(01|03|09|22)/.test(text))).toEqual([]);
});
