import { createHash } from "node:crypto";
import { canonicalJson, type Integrity, type PackageName } from "../contract/for-hosts.ts";
import type { PackageKey } from "./layout.ts";
import { strongComponents } from "./strong-components.ts";

/** What a key depends on. */
export interface KeyedNode {
  name: PackageName;
  integrity: Integrity;
  /** Those present on this platform, by alias: ids of other nodes. */
  aliases: readonly PackageName[];
  targets: readonly string[];
}

/**
 * A package directory's name: SHA-256 over the tarball's integrity, the name, and the keys of the dependencies, so that equal keys mean equal
 * directories, whichever manifest they come from and whatever its node ids are.
 *
 * Nodes on a cycle cannot name each other's keys. Their component hashes as one, and a member's key is that hash with the member's own label. Labels are
 * refined by the labels of the neighbours until no more members can be told apart: what is still equal then resolves equally for ever, and is
 * one directory.
 */
export function packageKeys(nodes: ReadonlyMap<string, KeyedNode>, known?: KnownKeys): Map<string, PackageKey> {
  const keys = new Map<string, PackageKey>();
  const edges = (id: string) => nodeOf(nodes, id).targets;
  // A component comes after all that it depends on.
  for (const component of strongComponents([...nodes.keys()], edges)) {
    const [only] = component;
    if (component.length === 1 && only !== undefined && !edges(only).includes(only)) {
      keys.set(only, keyOfOne(only, { nodes, keys, known }));
      continue;
    }
    const members = new Set(component);
    const labels = refine(component, (id, label) => describe(nodeOf(nodes, id), keys, members, label));
    const whole = digest([...new Set(labels.values())].sort());
    for (const id of component) keys.set(id, digest({ label: labels.get(id), whole }) as PackageKey);
  }
  return keys;
}

/** The key of a node outside cycles, and the keys of its dependencies that it holds for. */
export interface KnownKey {
  node: KeyedNode;
  dependencies: readonly (PackageKey | undefined)[];
  key: PackageKey;
}

/** From earlier calls. */
export interface KnownKeys {
  read(id: string): KnownKey | undefined;
  write(id: string, known: KnownKey): void;
}

interface Naming {
  nodes: ReadonlyMap<string, KeyedNode>;
  keys: ReadonlyMap<string, PackageKey>;
  known: KnownKeys | undefined;
}

function keyOfOne(id: string, { nodes, keys, known }: Naming): PackageKey {
  const node = nodeOf(nodes, id);
  const earlier = known?.read(id);
  if (earlier?.node === node && node.targets.every((to, index) => keys.get(to) === earlier.dependencies[index]))
    return earlier.key;
  const label = digest(describe(node, keys, nobody, () => ""));
  const key = digest({ label }) as PackageKey;
  known?.write(id, { node, dependencies: node.targets.map((to) => keys.get(to)), key });
  return key;
}

const nobody: ReadonlySet<string> = new Set();

const keyFormat = 1;

/** A member as its neighbours see it: keys where they are known, labels within the component. */
function describe(
  { name, integrity, aliases, targets }: KeyedNode,
  keys: ReadonlyMap<string, PackageKey>,
  members: ReadonlySet<string>,
  label: (id: string) => string,
): unknown {
  const to = targets.map((id, index) => [aliases[index], members.has(id) ? { member: label(id) } : keys.get(id)] as const);
  return { format: keyFormat, name, integrity, dependencies: Object.fromEntries(to) };
}

function refine(component: string[], describeWith: (id: string, label: (id: string) => string) => unknown): Map<string, string> {
  let labels = new Map(component.map((id) => [id, ""]));
  for (let distinct = 0; ; ) {
    const previous = labels;
    labels = new Map(component.map((id) => [id, digest(describeWith(id, (other) => previous.get(other) ?? ""))]));
    const found = new Set(labels.values()).size;
    // The round that tells no more apart is still taken: it is the one that holds the edges between the final classes.
    if (found === distinct) return labels;
    distinct = found;
  }
}

const digest = (value: unknown): string => createHash("sha256").update(canonicalJson(value)).digest("hex");

function nodeOf(nodes: ReadonlyMap<string, KeyedNode>, id: string): KeyedNode {
  const node = nodes.get(id);
  if (!node) throw new Error(`no node ${id}`);
  return node;
}
