import { oc } from "@orpc/contract";
import { z } from "zod";
import { sessionSchema } from "./session.ts";

/**
 * For browsers: a token is exchanged for a cookie that scripts cannot read (`HttpOnly`, `SameSite=Strict`). A change that comes with the cookie must also
 * come from the server's own pages, by `Sec-Fetch-Site` or `Origin`. A session has its token's role and ends with it.
 */
export const sessionContract = {
  create: oc
    .route({ method: "POST", path: "/session", successStatus: 201, summary: "Sign in with a token; the answer sets a cookie" })
    .input(z.object({ token: z.string().min(16).max(300) }))
    .output(sessionSchema),
  get: oc.route({ method: "GET", path: "/session", summary: "Who the caller is" }).output(sessionSchema),
  end: oc
    .route({ method: "DELETE", path: "/session", summary: "Sign out: the session ends everywhere, the cookie is cleared" })
    .output(z.object({ ended: z.boolean().describe("False: there was no session, a token came with the request") })),
};
