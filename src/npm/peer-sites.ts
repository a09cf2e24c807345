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

const maxSites = 250_000;

/**
 * Unfolds the lock's entries into sites, starting at `roots`. A peer is what the nearest dependent on the way here has of its own under that name, and at the
 * outermost what the lock has at its top; where that does not satisfy the range and the lock nests a version that does, it is the nested one. Finer than
 * need be: sites that only differ in who provides the same thing are merged afterwards.
 */
export function unfoldSites(graph: LockGraph, roots: readonly LockPackage[]): { sites: Site[]; roots: Site[] } {
  const names = peerNames(graph, roots);
  const sites = new Map<string, Site>();
  const numbers = new Map<Provider, number>([["root", 0]]);

  const siteOf = (entry: LockPackage, parent: Provider): Site => {
    const scope = new Map<string, Provider>();
    for (const name of [...(names.get(entry) ?? [])].sort()) scope.set(name, providerAbove(parent, name));
    const key = [entry.path, ...[...scope].map(([name, provider]) => `${name}=${numbers.get(provider)}`)].join(" ");
    const known = sites.get(key) ?? recurring(entry, scope);
    if (known) return known;
    if (sites.size >= maxSites) throw tooManySites(entry);
    const site = createSite(graph, entry, scope);
    sites.set(key, site);
    numbers.set(site, numbers.size);
    return site;
  };

  const rootSites = roots.map((entry) => siteOf(entry, "root"));
  const children = new Map<Provider, Map<string, Site>>([["root", new Map()]]);
  for (const site of sites.values()) {
    children.set(site, new Map([...site.own].map(([alias, entry]) => [alias, siteOf(entry, site)])));
    for (const alias of site.node.peers.keys()) {
      const top = providerOf(site, alias) === "root" ? graph.top(alias) : undefined;
      if (top) children.get("root")?.set(alias, siteOf(top, "root"));
    }
  }
  for (const site of sites.values()) {
    const { edges, peers } = site.node;
    for (const { alias, optional } of [...edges.values(), ...peers.values()]) {
      const to = children.get(providerOf(site, alias))?.get(alias);
      if (to) site.edges.set(alias, { to, optional });
    }
  }
  return { sites: [...sites.values()], roots: rootSites };
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

/**
 * A cycle of dependencies may provide to itself, at each turn, what it was provided with the turn before, without end. It ends here: when one of the new
 * site's providers, or of theirs, is a site of the same entry with the same entries as providers, the new one is that one.
 */
function recurring(entry: LockPackage, scope: Map<string, Provider>): Site | undefined {
  const above = new Set<Provider>(scope.values());
  for (const provider of above) {
    if (provider === "root") continue;
    const { scope: outer, node } = provider;
    if (node.entry === entry && [...scope].every(([name, one]) => entryOf(one) === entryOf(outer.get(name) ?? "root")))
      return provider;
    for (const next of outer.values()) above.add(next);
  }
  return undefined;
}

const entryOf = (provider: Provider): LockPackage | "root" => (provider === "root" ? provider : provider.node.entry);

const tooManySites = ({ name, version }: LockPackage): LarderError =>
  new LarderError(
    "E_RESOLVE",
    `The packages have more than ${maxSites} combinations of peer dependencies, near ${name}@${version}.`,
    {
      hint: "Take one of the packages with many peer dependencies off the allowlist.",
      details: { package: `${name}@${version}` },
    },
  );
