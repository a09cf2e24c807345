import { z } from "zod";
import { exactVersionSchema } from "./exact-version.ts";
import { integritySchema } from "./integrity.ts";
import { packageNameSchema } from "./package-name.ts";

/** Names a node within one manifest: `name@version`, with `(…)` behind it when peer contexts make several of one version. */
export type NodeId = string;

export const manifestFormat = 1;

const constraintSchema = z.array(z.string().max(40)).max(40).optional();

export const manifestNodeSchema = z.object({
  name: packageNameSchema,
  version: exactVersionSchema,
  integrity: integritySchema,
  /** Alias (the name under `node_modules`) → node id. Resolved regular, optional and peer dependencies alike. */
  dependencies: z.record(packageNameSchema, z.string()),
  /** The aliases among `dependencies` that a host leaves out, without an error, when they do not suit its platform. */
  optional: z.array(packageNameSchema).optional(),
  os: constraintSchema,
  cpu: constraintSchema,
  libc: constraintSchema,
  /** Declared by the registry (`dist.unpackedSize`, `dist.fileCount`), bytes and files; absent when it does not say. */
  unpackedBytes: z.number().int().nonnegative().optional(),
  fileCount: z.number().int().nonnegative().optional(),
  hasInstallScript: z.literal(true).optional(),
});
export type ManifestNode = z.infer<typeof manifestNodeSchema>;

/**
 * The resolved graph for all platforms: what `lockfileHash` is the SHA-256 of. The same allowlist resolved to the same graph gives the same
 * bytes, whoever installed it and whatever else was fetched.
 */
export const manifestSchema = z.object({
  format: z.literal(manifestFormat),
  /** The allowlist: alias at the tree's root → node id. Only these can be imported. */
  roots: z.record(packageNameSchema, z.string()),
  nodes: z.record(z.string(), manifestNodeSchema),
});
export type Manifest = z.infer<typeof manifestSchema>;
