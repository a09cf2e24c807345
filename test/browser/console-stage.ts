import type { Locator, Page } from "playwright-core";
import { type LarderStack, openLarderStack, type StackOptions } from "../e2e/larder-stack.ts";
import { openBrowser, type TestBrowser, type Window } from "../harness/browser.ts";
import type { FixturePackage } from "../harness/fixture-package.ts";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { until } from "../harness/until.ts";

/** `larder up` with a registry of its own, its console built, and a browser. */
export interface ConsoleStage extends AsyncDisposable {
  registry: FixtureRegistry;
  stack: LarderStack;
  browser: TestBrowser;
  /** A window on the console, signed in as the admin unless `token` is another's or `null`. */
  visit(path: string, options?: Parameters<TestBrowser["open"]>[0] & { token?: string | null }): Promise<Window>;
}

export async function openConsoleStage(
  packages: FixturePackage[],
  options: Omit<Partial<StackOptions>, "registry"> = {},
): Promise<ConsoleStage> {
  await using disposables = new AsyncDisposableStack();
  const registry = disposables.use(await openFixtureRegistry(packages));
  const stack = disposables.use(await openLarderStack({ registry: registry.url, ...options }));
  const browser = disposables.use(await openBrowser());
  await until(
    "the console is built",
    async () => (await fetch(`${stack.server.url}/`, { headers: { accept: "text/html" } })).status === 200,
    { timeoutMs: 90_000, everyMs: 250 },
  );
  const adminToken = await stack.server.adminToken();
  const owned = disposables.move();
  return {
    registry,
    stack,
    browser,
    async visit(path, { token = adminToken, ...windowOptions } = {}) {
      const window = await browser.open({ baseURL: stack.server.url, ...windowOptions });
      await window.page.goto(path);
      if (token !== null) await signIn(window.page, token);
      return window;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** As a person does it: the token in the field, then Enter. */
export async function signIn(page: Page, token: string): Promise<void> {
  const field = page.getByLabel("Token", { exact: true });
  await field.fill(token);
  await field.press("Enter");
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
}

/** The dialog that is open; a toast has the role, too. */
export const dialogOn = (page: Page): Locator => page.getByRole("dialog").and(page.locator(".dialog"));
