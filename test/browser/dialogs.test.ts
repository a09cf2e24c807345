import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { type ConsoleStage, dialogOn, openConsoleStage } from "./console-stage.ts";

// What the main job does not open: enrolling, promoting, requesting a package.

const minute = 60_000;
let stage: ConsoleStage;
let page: Page;

beforeAll(async () => {
  stage = await openConsoleStage([
    { name: "alpha", version: "1.0.0" },
    { name: "beta", version: "1.0.0" },
  ]);
  await stage.stack.add("alpha@1.0.0");
  await stage.stack.install();
  await stage.stack.api("/environments", { method: "POST", body: JSON.stringify({ name: "staging" }) });
  ({ page } = await stage.visit("/", { viewport: { width: 1280, height: 800 } }));
}, 2 * minute);
afterAll(() => stage?.[Symbol.asyncDispose]());

test(
  "a host is enrolled with a command to copy, and the enrolment is listed as open",
  async () => {
    await page.goto("/default/hosts");
    await page.getByRole("button", { name: "Enrol a host" }).click();
    await dialogOn(page)
      .getByRole("button", { name: /enrol|make|token/i })
      .last()
      .click();
    await page.getByText(/LARDER_TOKEN=ldr_enrol_/).waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText("0 of 1 joined").waitFor();
  },
  minute,
);

test(
  "a generation is promoted to another environment",
  async () => {
    await page.goto("/default/installs");
    await page
      .getByRole("button", { name: /actions|more|generation 1/i })
      .first()
      .click();
    await page.getByRole("menuitem", { name: /promote/i }).click();
    await dialogOn(page).getByRole("button", { name: "Promote" }).click();
    await dialogOn(page).waitFor({ state: "detached" });
    const answer = await stage.stack.api("/environments/staging/generations");
    expect(await answer.json()).toMatchObject({ items: [{ number: 1, reason: "promotion" }] });
  },
  minute,
);

test(
  "what a script imports and the allowlist lacks can be requested, and an admin sees it",
  async () => {
    await page.goto("/default/scripts");
    await page.locator(".monaco-editor").first().click();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type('import beta from "beta";');
    await page.getByRole("button", { name: "Request it" }).click();
    await page.goto("/default/packages");
    await page.getByText("1 request").waitFor();
    await page.getByRole("button", { name: "Review" }).waitFor();
  },
  minute,
);
