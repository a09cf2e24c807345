import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { LockfileHash, Manifest, PackageName } from "../contract/index.ts";
import type { Pin } from "./explain-failure.ts";
import type { Gateway, Lookup } from "./gateway.ts";

export interface ResolverQuestion {
  packages: readonly Pin[];
  /** The lock to start from. */
  lockfile: string | undefined;
  /** The generation whose manifest says what registries are not asked again. */
  basis: LockfileHash | undefined;
}

export interface ResolverAnswer {
  lockfile: string;
  manifest: Manifest;
}

/**
 * What resolvers answered. It is right again when the question is the same and the gateway has the same document, or none, for every name that it was asked for: the
 * resolver would ask the same, and choose the same.
 */
export interface ResolverMemory {
  /** Looks up at once all that the resolver would ask for one after the other. */
  recall(question: ResolverQuestion, gateway: Gateway): Promise<ResolverAnswer | undefined>;
  /** To be called when the resolver has just ended well. */
  keep(question: ResolverQuestion, gateway: Gateway, answer: ResolverAnswer): Promise<void>;
}

interface Entry {
  /** By name, what the gateway had. */
  documents: ReadonlyMap<PackageName, string>;
  answer: ResolverAnswer;
}

/** Each takes about 1 MB for 400 packages. */
const kept = 16;

export function createResolverMemory(): ResolverMemory {
  const entries = new LRUCache<string, Entry>({ max: kept });
  return {
    async recall(question, gateway) {
      const key = keyOf(question);
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      const names = [...entry.documents.keys()];
      const lookups = await Promise.all(names.map((name) => gateway.lookup(name)));
      const same = lookups.every((lookup, at) => documentIn(lookup) === entry.documents.get(names[at] as PackageName));
      return same ? entry.answer : undefined;
    },
    async keep(question, gateway, answer) {
      const key = keyOf(question);
      const documents = new Map<PackageName, string>();
      for (const [name, lookup] of gateway.lookups()) documents.set(name, documentIn(await lookup));
      entries.set(key, { documents, answer });
    },
  };
}

const keyOf = ({ packages, lockfile, basis }: ResolverQuestion): string =>
  createHash("sha256")
    .update(JSON.stringify([packages.map(({ name, version }) => [name, version]), lockfile, basis]))
    .digest("base64url");

/** No digest is one of the other words. */
const documentIn = (lookup: Lookup): string => (lookup.kind === "ok" ? lookup.served.document().digest() : lookup.kind);
