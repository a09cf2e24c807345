import type { NodeId } from "../contract/index.ts";
import type { SiteClass } from "./merge-sites.ts";
import type { Site } from "./peer-sites.ts";

/**
 * `name@version` where that says enough. Else what sets the nodes of one version apart follows in brackets: the peers that they were given, or the
 * dependencies that they were resolved to, or, last, a way that leads to them: `plugin@1.0.0(core@2.1.0)`.
 */
export function nodeIds(
  classes: readonly SiteClass[],
  roots: ReadonlyMap<string, SiteClass>,
  classOf: (site: Site) => SiteClass,
): Map<SiteClass, NodeId> {
  const ids = new Map<SiteClass, NodeId>();
  let ways: Map<SiteClass, string> | undefined;
  for (const [label, group] of groupBy(classes, labelOf)) {
    const given = group.map((member) => givenPeers(member, classOf));
    const resolved = group.map(({ edges }) => new Map(edges.map(({ alias, to }) => [alias, labelOf(to)])));
    const marks = differences(given) ?? differences(resolved);
    ways ??= group.length > 1 && marks === undefined ? waysTo(roots) : undefined;
    for (const [i, member] of group.entries()) {
      const mark = group.length === 1 ? "" : marks ? (marks[i] as string) : `via ${ways?.get(member)}`;
      ids.set(member, mark === "" ? label : `${label}(${mark})`);
    }
  }
  return ids;
}

const labelOf = ({ sites: [site] }: SiteClass): string => `${site?.node.entry.name}@${site?.node.entry.version}`;

/** What every site of the class is given under a name. Where they disagree, the name makes no difference to what they are. */
function givenPeers({ sites }: SiteClass, classOf: (site: Site) => SiteClass): Map<string, string> {
  const given = new Map<string, string>();
  const first = sites[0] as Site;
  for (const name of first.scope.keys()) {
    const values = new Set(sites.map((site) => givenUnder(site, name)));
    const [value] = values;
    if (values.size === 1 && value) given.set(name, labelOf(classOf(value)));
  }
  return given;
}

/** The site that a name in scope stands for, when the site itself or its provider leads there. */
function givenUnder(site: Site, name: string): Site | undefined {
  const own = site.edges.get(name);
  if (own) return own.to;
  const provider = site.scope.get(name);
  return provider === undefined || provider === "root" ? undefined : provider.edges.get(name)?.to;
}

/** For each member the values that are not common to all, as text; `undefined` when that does not tell all members apart. */
function differences(members: readonly Map<string, string>[]): string[] | undefined {
  const names = [...new Set(members.flatMap((member) => [...member.keys()]))].sort();
  const differing = names.filter((name) => new Set(members.map((member) => member.get(name))).size > 1);
  const texts = members.map((member) => differing.flatMap((name) => describe(name, member.get(name))).join(","));
  return new Set(texts).size === members.length ? texts : undefined;
}

/** An alias is shown as what it stands for, unless the two differ. */
function describe(alias: string, label: string | undefined): string[] {
  if (label === undefined) return [];
  return [label.startsWith(`${alias}@`) ? label : `${alias}:${label}`];
}

/** For each class the shortest way to it from the allowlist, the first in alphabetical order among several. */
function waysTo(roots: ReadonlyMap<string, SiteClass>): Map<SiteClass, string> {
  const ways = new Map<SiteClass, string>();
  for (const [alias, member] of [...roots].sort(([a], [b]) => (a < b ? -1 : 1))) if (!ways.has(member)) ways.set(member, alias);
  for (const [member, way] of ways) {
    for (const { alias, to } of member.edges) if (!ways.has(to)) ways.set(to, `${way}>${alias}`);
  }
  return ways;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
