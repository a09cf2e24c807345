import { oc } from "@orpc/contract";
import { z } from "zod";
import { generationDiffSchema, generationSchema, noteSchema } from "./generation.ts";
import { environmentNameSchema, generationNumberSchema } from "./ids.ts";
import { pageOf, pageQueryOf } from "./page.ts";

const inEnvironment = z.object({ environment: environmentNameSchema });
const numberInPath = z.coerce.number().pipe(generationNumberSchema);
const oneGeneration = inEnvironment.extend({ number: numberInPath });

export const generationsContract = {
  list: oc
    .route({ method: "GET", path: "/environments/{environment}/generations", summary: "Generations, newest first" })
    .input(inEnvironment.extend(pageQueryOf(numberInPath, { most: 1000, usual: 50 }).shape))
    .output(pageOf(generationSchema, generationNumberSchema)),
  get: oc
    .route({ method: "GET", path: "/environments/{environment}/generations/{number}", summary: "One generation" })
    .input(oneGeneration)
    .output(generationSchema),
  diff: oc
    .route({
      method: "GET",
      path: "/environments/{environment}/generations/{from}/diff/{to}",
      summary: "What changed between two generations",
    })
    .input(inEnvironment.extend({ from: numberInPath, to: numberInPath }))
    .output(generationDiffSchema),
  annotate: oc
    .route({
      method: "PATCH",
      path: "/environments/{environment}/generations/{number}",
      summary: "Put a note on a generation; an empty one removes it",
    })
    .input(oneGeneration.extend({ note: noteSchema }))
    .output(generationSchema),
  rollback: oc
    .route({
      method: "POST",
      path: "/environments/{environment}/generations/{number}/rollback",
      summary: "Make a new generation with an older one's manifest; the allowlist stays as it is",
    })
    .input(oneGeneration.extend({ note: noteSchema.optional() }))
    .output(generationSchema),
  advance: oc
    .route({
      method: "POST",
      path: "/environments/{environment}/generations/advance",
      summary: "Make the current generation once more, under a number above all that hosts have accepted; for a restored backup",
    })
    .input(
      inEnvironment.extend({
        past: generationNumberSchema
          .max(1e12)
          .optional()
          .describe("Absent: the highest that the environment's hosts have reported"),
      }),
    )
    .output(generationSchema),
  promote: oc
    .route({
      method: "POST",
      path: "/environments/{environment}/generations/{number}/promote",
      summary:
        "Make a new generation of another environment with this one's manifest; that environment's allowlist becomes its packages",
    })
    .input(oneGeneration.extend({ to: environmentNameSchema, note: noteSchema.optional() }))
    .output(generationSchema),
};
