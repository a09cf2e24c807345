import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import axe from "axe-core";
import type { Page } from "playwright-core";
import type { Host } from "../../src/contract/index.ts";
import { until } from "../harness/until.ts";
import { type ConsoleStage, openConsoleStage } from "./console-stage.ts";
import { consolePackages } from "./packages.ts";
import { serveFleet } from "./serve-fleet.ts";

const minute = 60_000;
const paths = ["packages", "installs", "hosts", "storage", "registry", "scripts", "access"];
const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';

let stage: ConsoleStage;
beforeAll(async () => {
  stage = await openConsoleStage(consolePackages);
  await stage.stack.add("tiny-clock@1.0.0", "csv-lines");
  await stage.stack.install();
  await stage.stack.add("@acme/internal-observability-instrumentation-for-very-long-lived-workers@10.20.30-rc.11");
}, 4 * minute);
afterAll(() => stage[Symbol.asyncDispose]());

async function tokenOf(role: string, subject: string): Promise<string> {
  const answer = await stage.stack.api("/tokens", { method: "POST", body: JSON.stringify({ role, subject }) });
  return ((await answer.json()) as { text: string }).text;
}

/** By evaluation from outside, which the page's content security policy is no obstacle to. */
async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(
      { exclude: [".monaco-editor", ".monaco-aria-container"] },
      { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
    ),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target.join(" ")}: ${failureSummary}`),
  );
}

const settled = (page: Page) =>
  until(`${page.url()} has settled`, async () => (await page.getByRole("status", { name: "Loading" }).count()) === 0, {
    timeoutMs: 30_000,
  });

describe.each([
  ["light", 1280],
  ["dark", 360],
] as const)("in %s at %d px", (colorScheme, width) => {
  test(
    "no page breaks a rule of WCAG AA, overflows, or says anything on the browser's console",
    async () => {
      const { page, complaints } = await stage.visit("/", { colorScheme, viewport: { width, height: 800 } });
      for (const path of paths) {
        await page.goto(`/default/${path}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await settled(page);
        expect([path, await violationsOf(page)]).toEqual([path, []]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect([path, Math.max(0, overflow)]).toEqual([path, 0]);
      }
      expect(complaints).toEqual([]);
    },
    4 * minute,
  );
});

test(
  "the sign-in page breaks no rule either, and a wrong token is told so",
  async () => {
    const { page } = await stage.visit("/", { token: null });
    const field = page.getByLabel("Token", { exact: true });
    await field.waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await field.fill(`ldr_admin_${"x".repeat(43)}`);
    await field.press("Enter");
    await page.getByRole("alert").waitFor();
    expect(await page.context().cookies()).toEqual([]);
  },
  minute,
);

test(
  "the session's cookie is out of reach of scripts, and signing out ends it",
  async () => {
    const { page, context } = await stage.visit("/");
    const [cookie] = await context.cookies();
    expect([cookie?.httpOnly, cookie?.sameSite]).toEqual([true, "Strict"]);
    expect(await page.evaluate(() => document.cookie)).toBe("");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token", { exact: true }).waitFor();
    const answer = await fetch(`${stage.stack.server.url}/api/session`, {
      headers: { cookie: `${cookie?.name}=${cookie?.value}` },
    });
    expect(answer.status).toBe(401);
  },
  minute,
);

test(
  "an author is offered what an author may do; what a name holds is text; what others do shows without a reload",
  async () => {
    const { page, complaints } = await stage.visit("/", { token: await tokenOf("author", hostile) });
    await page.getByRole("table", { name: "Allowlist" }).waitFor();
    expect(await page.getByRole("button", { name: "Add packages" }).count()).toBe(0);
    expect(await page.getByRole("switch").count()).toBe(0);
    expect(await page.getByRole("link", { name: "Access" }).count()).toBe(0);
    await page.getByText(hostile).first().waitFor();
    await stage.stack.add("uuid-words");
    await page.getByText("uuid-words").waitFor();
    expect(await page.title()).toBe("Packages · Larder");
    expect(complaints).toEqual([]);
  },
  minute,
);

test(
  "without a network the page says so, keeps what it had, and comes back by itself",
  async () => {
    const { page, context } = await stage.visit("/");
    await page.getByText("Live", { exact: true }).waitFor();
    await context.setOffline(true);
    await page.getByText("out of reach").waitFor();
    expect(await page.getByText("csv-lines").count()).toBe(1);
    await context.setOffline(false);
    await page.getByText("out of reach").waitFor({ state: "detached" });
    await page.getByText("Live", { exact: true }).waitFor({ timeout: 20_000 });
  },
  minute,
);

test(
  "the keyboard reaches pages, the search, and everything by its name",
  async () => {
    const { page } = await stage.visit("/");
    await page.getByRole("table", { name: "Allowlist" }).waitFor();
    await page.keyboard.press("/");
    expect(await page.getByLabel("Search the allowlist").evaluate((field) => field === document.activeElement)).toBe(true);
    await page.keyboard.press("Tab");
    await page.getByRole("heading", { level: 1 }).click();
    await page.keyboard.press("g");
    await page.keyboard.press("h");
    await page.getByRole("heading", { name: "Hosts", level: 1 }).waitFor();
    await page.keyboard.press("ControlOrMeta+k");
    await page.keyboard.type("storage");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Storage", level: 1 }).waitFor();
  },
  minute,
);

const lists = [
  {
    what: "hosts",
    page: "/default/hosts",
    route: "/hosts",
    async serve(page: Page, answer: unknown) {
      await serveFleet(page, like((answer as { items: Row[] }).items[0], (name) => ({ id: name })) as unknown as Host[]);
    },
  },
  {
    what: "packages",
    page: "/default/packages",
    route: "/environments/default/packages",
    async serve(page: Page, answer: unknown) {
      const allowlist = answer as { packages: Row[] };
      const json = { ...allowlist, packages: like(allowlist.packages[0], (name) => ({ name })) };
      await page.route(
        (url) => url.pathname === "/api/environments/default/packages",
        (request) => request.fulfill({ json }),
      );
    },
  },
];
type Row = Record<string, unknown>;
const like = (row: Row | undefined, named: (name: string) => Row) =>
  Array.from({ length: 1000 }, (_, n) => ({ ...row, ...named(`edge-${String(n).padStart(4, "0")}`) }));

test.each(lists)(
  "a list of 1,000 $what keeps few of them in the page, and scrolls",
  async ({ what, page: address, route, serve }) => {
    const { page } = await stage.visit("/", { viewport: { width: 1280, height: 800 } });
    await serve(page, await (await stage.stack.api(route)).json());
    await page.goto(address);
    await page.getByText("edge-0000").waitFor();
    expect(await page.getByRole("row").count()).toBeLessThan(60);
    const frames = await page.evaluate(async () => {
      const times: number[] = [];
      let last = performance.now();
      for (let step = 0; step < 90; step++) {
        scrollBy(0, 400);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        times.push(now - last);
        last = now;
      }
      return times.sort((a, b) => a - b);
    });
    const at = (share: number) => frames[Math.floor(frames.length * share)]?.toFixed(1);
    console.error(`1,000 ${what}, 90 steps of 400 px: ${at(0.5)} ms a frame at the median, ${at(0.95)} ms at 95 %`);
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await page.getByText("edge-0999").waitFor();
  },
  minute,
);

test(
  "of a fleet larger than a page the server counts, chooses and searches, also hosts that were not fetched",
  async () => {
    const { page } = await stage.visit("/", { viewport: { width: 1280, height: 800 } });
    const { items } = (await (await stage.stack.api("/hosts")).json()) as { items: Row[] };
    const hosts = like(items[0], (name) => ({ id: name })).map((host, n) =>
      n === 990 ? { ...host, state: "failing", phase: "error" } : host,
    );
    await serveFleet(page, hosts as unknown as Host[]);
    await page.goto("/default/hosts");
    const fleet = page.getByRole("region", { name: "Fleet" });
    await fleet.getByRole("button", { name: "999 Current" }).waitFor();
    expect(await page.getByText("edge-0990").count()).toBe(0);
    await fleet.getByRole("button", { name: "1 Failing" }).click();
    await page.getByRole("button", { name: "edge-0990" }).waitFor();
    expect(await page.getByRole("status").filter({ hasText: "1 host" }).count()).toBe(1);
    await page.getByLabel("Search hosts").fill("edge-07");
    await page.getByText("No host matches").waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await page.getByLabel("Search hosts").fill("edge-07");
    await page.getByText("100 hosts", { exact: true }).waitFor();
    await page.getByRole("button", { name: "edge-0700" }).click();
    await page.getByRole("dialog", { name: "edge-0700" }).waitFor();
  },
  minute,
);
