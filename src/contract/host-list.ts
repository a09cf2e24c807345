import { z } from "zod";
import { hostPhases, hostSchema, hostStates } from "./host.ts";
import { environmentNameSchema, idSchema } from "./ids.ts";
import { pageOf, pageQueryOf } from "./page.ts";

/** Of a query string, where all is text. */
const flagSchema = z.union([z.boolean(), z.enum(["true", "false"])]);
const numberSchema = z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const labelSchema = z.string().min(1).max(200);

const oneOrSeveral = <Item extends z.ZodType>(item: Item) => z.union([item, z.array(item).max(20)]);

/** Which hosts; all that is given must hold. */
export const hostFilterSchema = z.object({
  environment: environmentNameSchema.optional(),
  state: oneOrSeveral(z.enum(hostStates)).optional().describe("The worst that holds; one of several"),
  phase: oneOrSeveral(z.enum(hostPhases)).optional().describe("What it says of itself"),
  behind: flagSchema.optional().describe("Serves an older generation than it should, whatever else holds"),
  silent: flagSchema.optional().describe("Not heard of for longer than reports are apart, whatever else holds"),
  below: numberSchema.optional().describe("Serves a lower generation than this"),
  label: oneOrSeveral(labelSchema).optional().describe("`zone=eu`, or `zone` for any value; several must all hold"),
  search: z.string().trim().max(255).optional().describe("A part of its id, or of its machine's name"),
});
export type HostFilter = z.infer<typeof hostFilterSchema>;

/** By id. */
export const hostListQuerySchema = hostFilterSchema.extend(pageQueryOf(idSchema, { most: 1000, usual: 500 }).shape);
export type HostListQuery = z.infer<typeof hostListQuerySchema>;
export const hostPageSchema = pageOf(hostSchema, idSchema);
export type HostPage = z.infer<typeof hostPageSchema>;

const count = z.number().int().nonnegative();

/** A fleet in numbers, however many hosts it has. */
export const hostCountsSchema = z.object({
  total: count,
  /** Each host is in one of these. */
  groups: z.array(z.object({ state: z.enum(hostStates), phase: z.enum(hostPhases), generation: count, hosts: count })),
});
export type HostCounts = z.infer<typeof hostCountsSchema>;
