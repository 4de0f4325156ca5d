/** What every page must stand: axe in both schemes, and no error in the console. */

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
/** What another scheme may break; everything else is the same page. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** Check a page with axe, light and dark; `what` names it in a failure. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  // Tooltips stand outside every landmark by nature; the pages are checked without one.
  await page.mouse.move(1, 1);
  await expect(page.getByRole("tooltip")).toHaveCount(0);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
    const axe = new AxeBuilder({ page });
    const { violations } = await (colorScheme === "light" ? axe.withTags(TAGS) : axe.withRules(OF_COLOURS)).analyze();
    const told = violations.map((v) => `${v.id}: ${v.nodes.map((node) => `${node.target.join(" ")} — ${node.failureSummary ?? ""}`).join("; ")}`);
    expect(told, `${what}, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

/** Collect what a page complains about; empty when all is well. */
export function complaints(page: Page): string[] {
  const heard: string[] = [];
  page.on("pageerror", (error) => heard.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") heard.push(message.text());
  });
  return heard;
}
