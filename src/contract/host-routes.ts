import { oc } from "@orpc/contract";
import { z } from "zod";
import { enrolInputSchema, enrolmentSchema } from "./enrolment.ts";
import { hostReportSchema, hostSchema } from "./host.ts";
import { hostCountsSchema, hostFilterSchema, hostListQuerySchema, hostPageSchema } from "./host-list.ts";
import { idSchema } from "./ids.ts";
import { runOutcomeSchema, runRequestSchema, runResultSchema } from "./run.ts";

const byId = z.object({ id: idSchema });

/** Hosts: how they come and go, how far they are, and the scripts that are sent to them. A host joins by `rawRoutes.join`. */
export const hostContract = {
  list: oc
    .route({ method: "GET", path: "/hosts", summary: "Hosts by id, and how far they are" })
    .input(hostListQuerySchema)
    .output(hostPageSchema),
  count: oc
    .route({ method: "GET", path: "/host-counts", summary: "How many hosts are how" })
    .input(hostFilterSchema)
    .output(hostCountsSchema),
  get: oc.route({ method: "GET", path: "/hosts/{id}", summary: "One host" }).input(byId).output(hostSchema),
  revoke: oc.route({ method: "DELETE", path: "/hosts/{id}", summary: "Revoke a host" }).input(byId).output(hostSchema),
  enrol: oc
    .route({
      method: "POST",
      path: "/enrolments",
      successStatus: 201,
      summary: "Make a token that hosts join with; its text is shown this once",
    })
    .input(enrolInputSchema)
    .output(z.object({ enrolment: enrolmentSchema, token: z.string() })),
  enrolments: oc
    .route({ method: "GET", path: "/enrolments", summary: "Enrolment tokens, newest first, without their text" })
    .output(z.array(enrolmentSchema)),
  revokeEnrolment: oc
    .route({ method: "DELETE", path: "/enrolments/{id}", summary: "Let nobody join with a token any more; who has joined stays" })
    .input(byId)
    .output(enrolmentSchema),
  reconcile: oc
    .route({ method: "POST", path: "/hosts/{id}/reconcile", summary: "Wake a host's agent now" })
    .input(byId)
    .output(hostSchema),
  run: oc
    .route({
      method: "POST",
      path: "/hosts/{id}/runs",
      summary: "Run a script on a host that allows it, and wait for what comes of it",
    })
    .input(runRequestSchema.extend({ id: idSchema }))
    .output(runResultSchema),
  claimRuns: oc
    .route({ method: "POST", path: "/hosts/self/runs/claim", summary: "A host takes scripts that wait for it" })
    .input(z.object({ max: z.number().int().min(1).max(100) }))
    .output(z.array(z.object({ id: idSchema, request: runRequestSchema }))),
  finishRun: oc
    .route({ method: "PUT", path: "/hosts/self/runs/{id}", summary: "A host says what came of a script" })
    .input(z.object({ id: idSchema, outcome: runOutcomeSchema }))
    .output(z.object({ awaited: z.boolean().describe("False: the caller has gone") })),
  report: oc
    .route({ method: "PUT", path: "/hosts/self/report", summary: "A host's report of itself" })
    .input(hostReportSchema)
    .output(z.object({ kept: z.boolean().describe("False: a later one is here already") })),
};
