import { delimiter, dirname, join } from "node:path";
import chromium from "@sparticuz/chromium";
import { type BrowserContext, type BrowserContextOptions, chromium as driver, type Page } from "playwright-core";

/** A real Chromium, from npm. */
export interface TestBrowser extends AsyncDisposable {
  /** A browser window that shares nothing with others. Its page's errors, and what the content security policy stopped, are collected. */
  open(options?: BrowserContextOptions): Promise<Window>;
}

export interface Window {
  context: BrowserContext;
  page: Page;
  /** What no page should say: uncaught errors, errors on its console, refusals of the content security policy. */
  complaints: string[];
}

const flags = ["--no-sandbox", "--no-zygote", "--disable-dev-shm-usage", "--disable-gpu", "--font-render-hinting=none"];

export async function openBrowser(): Promise<TestBrowser> {
  const executablePath = await chromium.executablePath();
  const browser = await driver.launch({ executablePath, args: flags, env: await environment(executablePath) });
  return {
    async open(options = {}) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(`uncaught: ${error.stack ?? error.message}`));
      page.on("console", (message) => {
        // The browser's own line for an answer that was not 2xx; what the page makes of it is the page's affair.
        const isStatusLine = message.text().startsWith("Failed to load resource");
        if (message.type() === "error" && !isStatusLine) complaints.push(`console: ${message.text()}`);
      });
      return { context, page, complaints };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** The package brings the libraries that a bare machine lacks beside the binary. */
async function environment(executablePath: string): Promise<Record<string, string>> {
  const known = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const libraries = join(dirname(executablePath), "al2023", "lib");
  return { ...known, LD_LIBRARY_PATH: [libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter) };
}
