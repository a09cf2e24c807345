// `node_modules/.bin/bun test/browser/screenshots.ts [DIRECTORY]`: every page of the console, light and dark, wide and narrow, with made-up packages and
// hosts. Without a directory, the few that the documentation shows go to `docs/images`.

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import type { Host, HostPage } from "../../src/contract/index.ts";
import type { FixturePackage } from "../harness/fixture-package.ts";
import { type ConsoleStage, openConsoleStage } from "./console-stage.ts";
import { serveFleet } from "./serve-fleet.ts";

const pages = ["packages", "installs", "hosts", "storage", "registry", "scripts", "access"];
const sizes = { wide: { width: 1280, height: 800 }, narrow: { width: 360, height: 740 } };
const documented = ["packages-light-wide", "hosts-dark-wide", "scripts-light-wide", "installs-light-narrow"];

const [directory] = process.argv.slice(2);
const target = directory ? resolve(directory) : resolve(import.meta.dir, "../../docs/images");
await mkdir(target, { recursive: true });

await using stage = await openConsoleStage(shelf());
await stage.stack.add("dayjs@1.11.12", "zod@4.1.11", "nanoid", "@acme/http-client");
await stage.stack.install();
await stage.stack.add("dayjs@1.11.13", "zod@4.1.12", "csv-parse", "fastest-levenshtein", "p-retry");
await stage.stack.install();
await stage.stack.add("ulid", "handlebars");
for (const theme of ["light", "dark"] as const) {
  for (const [size, viewport] of Object.entries(sizes)) {
    const { page } = await stage.visit("/", { viewport, colorScheme: theme });
    for (const path of pages) {
      const name = `${path}-${theme}-${size}`;
      if (directory === undefined && !documented.includes(name)) continue;
      await show(stage, page, path);
      await page.screenshot({ path: join(target, `${name}.png`) });
      console.error(name);
    }
  }
}

async function show({ stack }: ConsoleStage, page: Page, path: string): Promise<void> {
  if (path === "hosts") {
    const { items } = (await (await stack.api("/hosts")).json()) as HostPage;
    await serveFleet(page, fleet(items[0] as Host));
  }
  await page.goto(`/default/${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  if (path === "installs")
    await page
      .getByRole("button", { name: /what changed/ })
      .first()
      .click();
  if (path === "scripts") await writeScript(page);
  await page.waitForTimeout(1500);
}

async function writeScript(page: Page): Promise<void> {
  const editor = page.getByTestId("editor");
  await editor.locator(".view-lines").waitFor({ timeout: 60_000 });
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  const script =
    'import dayjs from "dayjs";\nimport leftPad from "left-pad";\n\nexport default { today: dayjs().format("YYYY-MM-DD") };';
  await page.keyboard.insertText(script);
  await page.getByText("not on the allowlist").waitFor({ timeout: 60_000 });
}

/** 240 hosts like the one there is: most are current, some are on their way, few are in trouble. */
function fleet(like: Host): Host[] {
  const error = { code: "E_NO_SPACE", message: "The store's file system is full: 12 MB free, 96 MB needed." };
  const behind = { generation: 1, lag: 1, state: "behind" } as const;
  return Array.from({ length: 240 }, (_, n) => {
    const host = { ...like, id: `worker-${String(n + 1).padStart(3, "0")}` };
    if (n % 61 === 17) return { ...host, ...behind, phase: "error", state: "failing", error };
    if (n % 23 === 5) return { ...host, ...behind, phase: "syncing", progress: { phase: "pull", done: 3 + (n % 5), total: 9 } };
    if (n % 97 === 40) return { ...host, ...behind, phase: "ready" };
    return host;
  });
}

function shelf(): FixturePackage[] {
  const one = (
    name: string,
    version: string,
    kilobytes: number,
    license = "MIT",
    extra: Partial<FixturePackage> = {},
  ): FixturePackage => ({
    name,
    version,
    packageJson: { license, types: "index.d.ts" },
    files: {
      "index.js": `module.exports = () => ({ format: () => "2026-01-31" });\n${"// …\n".repeat(kilobytes * 166)}`,
      "index.d.ts": "declare function moment(at?: string): { format(template: string): string };\nexport = moment;\n",
    },
    ...extra,
  });
  return [
    one("dayjs", "1.11.12", 640),
    one("dayjs", "1.11.13", 644),
    one("zod", "4.1.11", 3900),
    one("zod", "4.1.12", 3912),
    one("nanoid", "5.1.5", 12),
    one("@acme/http-client", "3.4.1", 88, "UNLICENSED", { dependencies: { "follow-politely": "^2.0.0" } }),
    one("follow-politely", "2.3.0", 30, "ISC"),
    one("csv-parse", "6.1.0", 1390),
    one("fastest-levenshtein", "1.0.16", 9),
    one("p-retry", "7.0.0", 21, "MIT", { dependencies: { "is-network-error": "^1.1.0" } }),
    one("is-network-error", "1.3.0", 5),
    one("ulid", "3.0.1", 66),
    one("handlebars", "4.7.8", 2780, "MIT"),
  ];
}
