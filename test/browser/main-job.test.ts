import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { until } from "../harness/until.ts";
import { type ConsoleStage, dialogOn, openConsoleStage } from "./console-stage.ts";
import { consolePackages } from "./packages.ts";

const minutes = 60_000;
let stage: ConsoleStage;
beforeAll(async () => {
  stage = await openConsoleStage(consolePackages);
}, 3 * minutes);
afterAll(() => stage[Symbol.asyncDispose]());

const open = (page: Page, title: string) => page.getByRole("link", { name: new RegExp(`^${title}`) }).click();

test(
  "a person signs in, adds a package, sees it arrive, writes a script and runs it, goes back, and moves the tarballs",
  async () => {
    const { page, complaints } = await stage.visit("/", { viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(minutes);

    // Nothing there yet: the page says what to do.
    await page.getByText("No packages yet").waitFor();
    await page.getByRole("button", { name: "Add packages" }).first().click();
    await dialogOn(page).getByLabel("Packages").fill("tiny-clock@1.0.0 csv-lines");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Add and install" }).click();
    await page.getByRole("table", { name: "Allowlist" }).getByText("tiny-clock").waitFor();

    // As one types, the list follows.
    await page.getByLabel("Search the allowlist").fill("csv");
    await page.getByText("1 match").waitFor();
    expect(await page.getByRole("row").count()).toBe(2);

    await open(page, "Installs");
    await page.getByText("Hosts converge to generation 1").waitFor();
    await open(page, "Hosts");
    await page.getByRole("row").filter({ hasText: "local" }).filter({ hasText: "Current" }).filter({ hasText: "1" }).waitFor();

    await writeAndRun(page);

    // A new pin, and back.
    await open(page, "Packages");
    await page.getByRole("button", { name: "More about tiny-clock" }).click();
    await page.getByRole("menuitem", { name: "Pin another version" }).click();
    await page.getByLabel("Exact version").fill("2.0.0");
    await page.getByRole("button", { name: "Pin and install" }).click();
    await open(page, "Installs");
    await page.getByText("Hosts converge to generation 2").waitFor();
    await page.getByRole("button", { name: "More about generation 1" }).click();
    await page.getByRole("menuitem", { name: "Roll back to it" }).click();
    await dialogOn(page).getByText("2.0.0 → 1.0.0").waitFor();
    await dialogOn(page).getByRole("button", { name: "Roll back" }).click();
    await page.getByText("Hosts converge to generation 3").waitFor();
    await stage.stack.ready(3);

    await open(page, "Storage");
    await page.getByText("new ones go to fs").waitFor();
    await page.getByRole("button", { name: "Migrate" }).click();
    await dialogOn(page).getByLabel("To").selectOption("postgres");
    await dialogOn(page).getByText("to copy").waitFor();
    await dialogOn(page).getByRole("button", { name: "Migrate" }).click();
    await page.getByText("new ones go to postgres").waitFor();

    expect(complaints).toEqual([]);
  },
  4 * minutes,
);

async function writeAndRun(page: Page): Promise<void> {
  await open(page, "Scripts");
  const editor = page.getByTestId("editor");
  await editor.locator(".view-lines").waitFor();
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type('import { moment } from "tiny-clock";\nimport "left-out";\n', { delay: 5 });
  const imports = page.getByRole("region", { name: "Imports" });
  await imports.getByText("typed", { exact: true }).waitFor();
  await imports.getByText("not on the allowlist").waitFor();
  await editor.locator(".squiggly-error").waitFor();

  // What the package's own declarations say comes up while one types.
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type('import { moment } from "tiny-clock";\nexport default moment("2026-01-31").add', { delay: 5 });
  const suggestion = page.locator(".suggest-widget.visible .monaco-list-row").filter({ hasText: "addDays" });
  await until(
    "the completion is offered",
    async () => {
      await page.keyboard.press("Control+Space");
      return await suggestion.isVisible({ timeout: 1000 });
    },
    { timeoutMs: minutes, everyMs: 1000 },
  );
  await page.keyboard.press("Enter");
  await page.keyboard.type("(1).toIsoDate();", { delay: 5 });
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.getByRole("region", { name: "Output" }).getByText('"2026-02-01"').waitFor();
}
