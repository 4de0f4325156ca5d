/** The page's content security policy in a real browser: nothing of ours meets it, nothing foreign passes it. */

import { expect, test, type Page } from "@playwright/test";

import { complaints } from "./page-checks";

const EMAIL = process.env.ETP_E2E_EMAIL ?? "owner@example.com";
const PASSWORD = process.env.ETP_E2E_PASSWORD ?? "demo-password";

/** Add a style element that widens the page's body, as a library would; tell what came of it. */
async function injectStyle(page: Page, withNonce: boolean): Promise<string> {
  return page.evaluate((allowed) => {
    const style = document.createElement("style");
    const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
    if (allowed && nonce !== undefined) style.setAttribute("nonce", nonce);
    style.textContent = "body { outline: 3px solid rgb(1, 2, 3); }";
    document.head.append(style);
    const found = getComputedStyle(document.body).outlineColor;
    style.remove();
    return found;
  }, withNonce);
}

test("the policy lets through what the page does, and nothing else", async ({ page }) => {
  const heard = complaints(page);
  const answer = await page.goto("/");
  const policy = answer?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain("unsafe");
  expect((await page.request.get("/")).headers()["content-security-policy"], "a nonce is good for one answer").not.toBe(policy);

  await test.step("pages work and look as they should", async () => {
    await page.getByLabel("E-mail").fill(EMAIL);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    const button = page.getByRole("button", { name: "Log in" });
    expect(await button.evaluate((node) => getComputedStyle(node).borderRadius), "style sheets apply").not.toBe("0px");
    await button.click();
    await page.waitForURL(/\/monitor$/);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await page.getByRole("button", { name: /, menu$/ }).click();
    await page.getByText("Dark", { exact: true }).click();
    await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
    await page.goto("/no/such/page");
    await expect(page.locator("#root")).not.toBeEmpty();
    expect(heard).toEqual([]);
  });

  await test.step("style elements need the nonce", async () => {
    expect(await injectStyle(page, true)).toBe("rgb(1, 2, 3)");
    expect(heard).toEqual([]);
    expect(await injectStyle(page, false)).not.toBe("rgb(1, 2, 3)");
    expect(heard.splice(0).join()).toContain("style-src");
  });

  await test.step("inline scripts and other sites are refused", async () => {
    const ran = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.name = 'ran'";
      document.head.append(script);
      const button = document.createElement("button");
      button.setAttribute("onclick", "window.name = 'ran'");
      button.click();
      return window.name;
    });
    expect(ran).toBe("");
    await expect(page.evaluate(() => fetch("http://127.0.0.2:9/").then(() => "sent", () => "refused"))).resolves.toBe("refused");
    expect(heard.join()).toMatch(/script-src[\s\S]*connect-src/);
  });
});
