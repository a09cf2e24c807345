import type { Site } from "./peer-sites.ts";

/** Sites that nobody can tell apart: one node of the manifest. */
export interface SiteClass {
  sites: Site[];
  /** Alias → class, sorted by alias. */
  edges: { alias: string; to: SiteClass; optional: boolean }[];
}

/**
 * The coarsest partition in which sites of one class have the same name, version and integrity, and under the same aliases sites of the same class: so the graph is minimal,
 * and the same whatever order it was unfolded in.
 */
export function mergeSites(sites: readonly Site[]): { classes: SiteClass[]; classOf(site: Site): SiteClass } {
  const ordered = sites.map((site) => ({ site, edges: [...site.edges].sort(([a], [b]) => (a < b ? -1 : 1)) }));
  let colours = new Map<Site, number>();
  let count = 0;
  for (;;) {
    const numbers = new Map<string, number>();
    const next = new Map<Site, number>();
    for (const { site, edges } of ordered) {
      const { name, version, integrity } = site.node.entry;
      const seen = edges.map(([alias, { to, optional }]) => `${alias}${optional ? "?" : "="}${colours.get(to) ?? ""}`);
      const key = [colours.get(site) ?? `${name}@${version} ${integrity}`, ...seen].join(" ");
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      next.set(site, number);
    }
    colours = next;
    if (numbers.size === count) break;
    count = numbers.size;
  }
  const classes = Array.from({ length: count }, (): SiteClass => ({ sites: [], edges: [] }));
  const classOf = (site: Site) => classes[colours.get(site) as number] as SiteClass;
  for (const site of sites) classOf(site).sites.push(site);
  for (const { site, edges } of ordered) {
    const own = classOf(site);
    if (own.sites[0] === site) own.edges = edges.map(([alias, { to, optional }]) => ({ alias, to: classOf(to), optional }));
  }
  return { classes, classOf };
}
