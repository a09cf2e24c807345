import satisfies from "semver/functions/satisfies.js";
import { LarderError } from "../contract/index.ts";
import type { LockPackage } from "./bun-lock.ts";
import type { LockGraph, LockNode } from "./lock-graph.ts";
import { peerNames } from "./peer-names.ts";

/** One lock entry in one peer context. */
export interface Site {
  node: LockNode;
  /** Who provides each name that this entry, or something below it, takes from its dependents. */
  scope: Map<string, Provider>;
  /** What it provides itself, by alias: its dependencies, and the peers that the lock nests in it. */
  own: Map<string, LockPackage>;
  /** All that it can import, by alias. A peer that nobody provides is missing. */
  edges: Map<string, { to: Site; optional: boolean }>;
}

/** `"root"` provides the allowlist, and whatever else the lock has at the top of its tree. */
type Provider = Site | "root";

/**
 * How far a site's providers, and theirs in turn, are told apart; beyond that they count as the same when their entries are. Without such an end, a cycle of
 * dependencies in which each turn provides the next one's peers has no last site. What a site imports is exact at any distance: only what lies behind several
 * peers in a row may be that of another turn. Of 770 real lock entries none needs more than 1.
 */
const precisions = [
  { distance: 3, maxSites: 20_000 },
  { distance: 1, maxSites: 100_000 },
];

/**
 * Unfolds the lock's entries into sites, starting at `roots`. A peer is what the nearest dependent on the way here has of its own under that name, and at the
 * outermost what the lock has at its top; where that does not satisfy the range and the lock nests a version that does, it is the nested one. Finer than
 * need be: sites that only differ in who provides the same thing are merged afterwards.
 */
export function unfoldSites(graph: LockGraph, roots: readonly LockPackage[]): { sites: Site[]; roots: Site[] } {
  const names = peerNames(graph, roots);
  for (const precision of precisions) {
    const unfolded = unfoldAt(graph, roots, { names, ...precision });
    if (unfolded) return unfolded;
  }
  throw new LarderError("E_RESOLVE", "The packages of the allowlist have too many combinations of peer dependencies.", {
    hint: "Take packages off the allowlist that depend on each other in circles.",
  });
}

interface Precision {
  names: Map<LockPackage, ReadonlySet<string>>;
  distance: number;
  maxSites: number;
}

/** `undefined` when there would be more than `maxSites`. */
function unfoldAt(
  graph: LockGraph,
  roots: readonly LockPackage[],
  { names, distance, maxSites }: Precision,
): { sites: Site[]; roots: Site[] } | undefined {
  const sites = new Map<string, Site>();
  const keyOf = (entry: LockPackage, scope: Map<string, Provider>, far: number): string => {
    if (far === 0) return entry.path;
    const given = [...scope].map(([name, one]) => `${name}=${one === "root" ? "" : keyOf(one.node.entry, one.scope, far - 1)}`);
    return `${entry.path}(${given.join(" ")})`;
  };

  const siteOf = (entry: LockPackage, parent: Provider): Site => {
    const scope = new Map<string, Provider>();
    for (const name of [...(names.get(entry) ?? [])].sort()) scope.set(name, providerAbove(parent, name));
    const key = keyOf(entry, scope, distance);
    let site = sites.get(key);
    if (site === undefined) {
      site = createSite(graph, entry, scope);
      sites.set(key, site);
    }
    return site;
  };

  const rootSites = roots.map((entry) => siteOf(entry, "root"));
  const children = new Map<Provider, Map<string, Site>>([["root", new Map()]]);
  for (const site of sites.values()) {
    if (sites.size > maxSites) return undefined;
    children.set(site, new Map([...site.own].map(([alias, entry]) => [alias, siteOf(entry, site)])));
    for (const alias of site.node.peers.keys()) {
      const top = providerOf(site, alias) === "root" ? graph.top(alias) : undefined;
      if (top) children.get("root")?.set(alias, siteOf(top, "root"));
    }
  }
  for (const site of sites.values()) linkSite(site, children);
  return { sites: [...sites.values()], roots: rootSites };
}

function linkSite(site: Site, children: Map<Provider, Map<string, Site>>): void {
  const { edges, peers } = site.node;
  for (const { alias, optional } of [...edges.values(), ...peers.values()]) {
    const to = children.get(providerOf(site, alias))?.get(alias);
    if (to) site.edges.set(alias, { to, optional });
  }
}

function createSite(graph: LockGraph, entry: LockPackage, scope: Map<string, Provider>): Site {
  const node = graph.node(entry);
  const own = new Map([...node.edges].map(([alias, { to }]) => [alias, to]));
  for (const { alias, range, nested } of node.peers.values()) {
    if (nested === undefined) continue;
    const provider = scope.get(alias) ?? "root";
    const offered = provider === "root" ? graph.top(alias) : provider.own.get(alias);
    if (offered === undefined || !satisfies(offered.version, range)) own.set(alias, nested);
  }
  return { node, scope, own, edges: new Map() };
}

/** Who provides `name` to a child of `parent`. */
const providerAbove = (parent: Provider, name: string): Provider => (parent === "root" ? parent : providerOf(parent, name));

const providerOf = (site: Site, name: string): Provider => (site.own.has(name) ? site : (site.scope.get(name) ?? "root"));
