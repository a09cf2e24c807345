import { createHash } from "node:crypto";

/** What the resolver is told of one package. */
export interface ResolverDocument {
  /** JSON. */
  bytes: Uint8Array;
  /** Of one digest are documents that tell a resolver the same, and whose versions are declared alike. */
  digest(): string;
}

/** `declared`: what a manifest takes over of each version, besides what the resolver is told. */
export function createResolverDocument(content: object, declared: () => unknown): ResolverDocument {
  const bytes = new TextEncoder().encode(JSON.stringify(content));
  let digest: string | undefined;
  return {
    bytes,
    digest() {
      digest ??= createHash("sha256").update(bytes).update(JSON.stringify(declared())).digest("base64url");
      return digest;
    },
  };
}
