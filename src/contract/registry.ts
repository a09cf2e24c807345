import { z } from "zod";
import { exactVersionSchema } from "./exact-version.ts";
import { timestampSchema } from "./ids.ts";
import { packageNameSchema } from "./package-name.ts";

/** `default` serves every package that no other registry claims. */
export const defaultRegistryName = "default";

export const registryNameSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "1 to 32 lower-case letters, digits and '-'");

export const registryScopeSchema = z.string().regex(/^@[a-z0-9~_-][a-z0-9~._-]{0,100}$/i, "a scope such as @acme");

/** A package name in which `*` stands for any characters but `/`. */
export const namePatternSchema = z
  .string()
  .max(214)
  .regex(/^(?:@[a-z0-9~_-][a-z0-9~._-]*\/)?[a-z0-9~_*-][a-z0-9~._*-]*$/i, "a package name, or a pattern such as acme-*")
  .refine((text) => /[^*]/.test(text), "a pattern that is not only *");

const addressSchema = z.string().min(1).max(2000);

export const registryAuths = ["none", "bearer", "basic"] as const;

/** One registry as it is shown: its secrets never leave the control plane. Registries are one set for all environments. */
export const registrySchema = z.object({
  name: registryNameSchema,
  /** Ends with a slash. */
  url: addressSchema,
  scopes: z.array(registryScopeSchema).describe("Scopes that are asked for here and nowhere else"),
  names: z.array(namePatternSchema).describe("Names, or patterns of names, that are asked for here and nowhere else"),
  tarballOrigins: z.array(addressSchema).describe("Origins, besides its own, that its tarballs may be at"),
  auth: z.enum(registryAuths),
  hasToken: z.boolean(),
  credentialsFor: addressSchema.optional().describe("The address, with everything below it, that the credentials are sent to"),
  ca: z.string().optional().describe("Certificates, in PEM, that are trusted besides the usual ones"),
  source: z.enum(["stored", "setting"]).describe("setting: the server's --registry, as long as no default is stored"),
  updatedAt: timestampSchema.optional(),
  updatedBy: z.string().optional(),
});
export type Registry = z.infer<typeof registrySchema>;

const secretSchema = z.string().max(16_384);

/** Left out: what there is stays. `none`, or an empty token or password: there are none from now on. */
export const registryAuthInputSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("none") }),
  z.object({ type: z.literal("bearer"), token: secretSchema }),
  z.object({ type: z.literal("basic"), username: z.string().max(1000), password: secretSchema }),
]);
export type RegistryAuthInput = z.infer<typeof registryAuthInputSchema>;

/** What is left out stays as it is; a new registry needs its `url`. */
export const registryInputSchema = z.object({
  name: registryNameSchema,
  url: addressSchema.optional(),
  scopes: z.array(registryScopeSchema).max(200).optional(),
  names: z.array(namePatternSchema).max(1000).optional(),
  tarballOrigins: z.array(addressSchema).max(20).optional(),
  auth: registryAuthInputSchema.optional(),
  credentialsFor: addressSchema.optional().describe("An address on the registry's own origin; absent: the registry's address"),
  ca: z.string().max(200_000).optional().describe("PEM; empty: none from now on"),
});
export type RegistryInput = z.infer<typeof registryInputSchema>;

export const registryTestSteps = ["address", "tls", "auth", "packument", "tarball", "search"] as const;

/** `skipped`: an earlier step failed, or there was nothing to try it with. `unsupported`: this registry cannot, and need not. */
export const registryTestSchema = z.object({
  ok: z.boolean(),
  steps: z.array(
    z.object({
      step: z.enum(registryTestSteps),
      state: z.enum(["ok", "failed", "skipped", "unsupported"]),
      message: z.string(),
      hint: z.string().optional(),
      ms: z.number(),
    }),
  ),
});
export type RegistryTest = z.infer<typeof registryTestSchema>;

export const registryImportSchema = z.object({
  registries: z.array(registrySchema),
  changes: z.array(z.object({ name: registryNameSchema, change: z.enum(["added", "changed"]) })),
  ignored: z.array(z.object({ line: z.number().int(), why: z.string() })),
});
export type RegistryImport = z.infer<typeof registryImportSchema>;

export const packageSearchSchema = z.object({
  results: z.array(
    z.object({
      name: packageNameSchema,
      registry: registryNameSchema,
      version: exactVersionSchema.optional(),
      description: z.string().optional(),
      publishedAt: timestampSchema.optional(),
      exact: z.boolean().describe("It is the very name that was searched for"),
    }),
  ),
  registries: z.array(
    z.object({
      name: registryNameSchema,
      state: z.enum(["ok", "noSearch", "failed"]).describe("noSearch: it completes exact names only"),
      message: z.string().optional(),
    }),
  ),
});
export type PackageSearch = z.infer<typeof packageSearchSchema>;

export const packageVersionsSchema = z.object({
  name: packageNameSchema,
  registry: registryNameSchema,
  description: z.string().optional(),
  distTags: z.record(z.string(), z.string()),
  total: z.number().int(),
  /** The highest first. */
  versions: z.array(
    z.object({
      version: exactVersionSchema,
      tags: z.array(z.string()),
      publishedAt: timestampSchema.optional().describe("As the registry says; absent when it does not"),
      unpackedBytes: z.number().optional(),
      fileCount: z.number().optional(),
      license: z.string().optional(),
      deprecated: z.string().optional(),
      hasInstallScript: z.boolean(),
    }),
  ),
});
export type PackageVersions = z.infer<typeof packageVersionsSchema>;
