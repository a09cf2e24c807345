import { oc } from "@orpc/contract";
import { z } from "zod";
import { packageNameSchema } from "./package-name.ts";
import {
  packageSearchSchema,
  packageVersionsSchema,
  registryImportSchema,
  registryInputSchema,
  registryNameSchema,
  registrySchema,
  registryTestSchema,
} from "./registry.ts";

const named = z.object({ name: registryNameSchema });

/** Where packages come from, and what is there. */
export const registryContract = {
  list: oc
    .route({ method: "GET", path: "/registries", summary: "The registries, the default first; without their secrets" })
    .output(z.array(registrySchema)),
  set: oc
    .route({ method: "PUT", path: "/registries/{name}", summary: "Add a registry, or change what is given of one" })
    .input(registryInputSchema)
    .output(registrySchema),
  remove: oc
    .route({ method: "DELETE", path: "/registries/{name}", summary: "Forget a registry and its credentials" })
    .input(named)
    .output(registrySchema),
  test: oc
    .route({
      method: "POST",
      path: "/registries/{name}/test",
      summary: "Say step by step what works; settings that are given are tried without being saved",
    })
    .input(registryInputSchema.extend({ package: packageNameSchema.optional().describe("A package to ask for") }))
    .output(registryTestSchema),
  import: oc
    .route({ method: "POST", path: "/registries/import", summary: "Take over the registries of an .npmrc, which is not kept" })
    .input(
      z.object({
        npmrc: z.string().max(200_000),
        cafile: z.string().max(200_000).optional().describe("What the file that `cafile` names holds"),
        dryRun: z.boolean().default(false),
      }),
    )
    .output(registryImportSchema),
  search: oc
    .route({ method: "GET", path: "/package-search", summary: "Names that begin with, or are about, a text" })
    .input(
      z.object({
        text: z.string().trim().min(1).max(214),
        limit: z.coerce.number().int().min(1).max(50).default(20),
        registry: registryNameSchema.optional().describe("Only this one"),
      }),
    )
    .output(packageSearchSchema),
  versions: oc
    .route({ method: "GET", path: "/package-versions/{name}", summary: "The versions that a package's registry has" })
    .input(z.object({ name: packageNameSchema, limit: z.coerce.number().int().min(1).max(5000).default(200) }))
    .output(packageVersionsSchema),
};

/** The key that seals secrets in the database. */
export const secretsContract = {
  rotate: oc.route({ method: "POST", path: "/secrets/rotate", summary: "Seal every secret with a new key" }).output(
    z.object({
      resealed: z.number().int().describe("Secrets that were sealed with another key before"),
      source: z.string().describe("Where the key is kept"),
    }),
  ),
};
