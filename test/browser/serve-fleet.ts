import type { Page } from "playwright-core";
import type { Host, HostCounts } from "../../src/contract/index.ts";

/** Answers a page's questions about hosts as a control plane with these would, by id; without labels and what is silent or behind besides its state. */
export async function serveFleet(page: Page, hosts: Host[]): Promise<void> {
  const sorted = hosts.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const chosen = (query: URLSearchParams) => {
    const [states, phases] = ["state", "phase"].map((name) =>
      [...query].flatMap(([key, value]) => (key.startsWith(name) ? [value] : [])),
    );
    return sorted.filter(
      ({ id, state, phase }) =>
        id.includes(query.get("search") ?? "") && among(states, state) && among(phases, phase) && id > (query.get("after") ?? ""),
    );
  };
  await page.route(
    (url) => url.pathname === "/api/hosts",
    (route) => {
      const query = new URL(route.request().url()).searchParams;
      const limit = Number(query.get("limit"));
      const left = chosen(query);
      const items = left.slice(0, limit);
      return route.fulfill({ json: { items, ...(left.length > limit ? { next: items.at(-1)?.id } : {}) } });
    },
  );
  await page.route(
    (url) => url.pathname === "/api/host-counts",
    (route) => {
      const found = chosen(new URL(route.request().url()).searchParams);
      const counts: HostCounts = {
        total: found.length,
        groups: found.map(({ state, phase, generation }) => ({ state, phase, generation, hosts: 1 })),
      };
      return route.fulfill({ json: counts });
    },
  );
  await page.route(
    (url) => /^\/api\/hosts\/[^/]+$/.test(url.pathname),
    (route) => route.fulfill({ json: sorted.find(({ id }) => route.request().url().endsWith(`/${id}`)) }),
  );
}

const among = (wanted: string[] | undefined, value: string): boolean => !wanted?.length || wanted.includes(value);
