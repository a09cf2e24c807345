import { OpenAPIHandler } from "@orpc/openapi/fetch";
import type { CallContext } from "../routes/api.ts";
import type { createRouter } from "../routes/router.ts";
import type { Dispatch } from "./fetch-handler.ts";
import { withJsonBody } from "./request-body.ts";

interface Call extends CallContext {
  failure?: { thrown: unknown };
}

/** Answers contract routes. Throws what went wrong instead of letting oRPC encode it, so that all errors take one way out. */
export function createContractDispatch(router: ReturnType<typeof createRouter>): Dispatch {
  const handler = new OpenAPIHandler<Call>(router, {
    interceptors: [
      async ({ next, context }) => {
        try {
          return await next();
        } catch (thrown) {
          context.failure = { thrown };
          throw thrown;
        }
      },
    ],
  });
  return async ({ request, principal, id, route, keepOpen }) => {
    // Its answer is as long in coming as the script runs.
    if (route.name === "hosts.run") keepOpen();
    const responseHeaders = new Headers();
    const call: Call = {
      get principal() {
        if (principal === undefined) throw new Error(`${route.name} was reached without a token`);
        return principal;
      },
      requestId: id,
      signal: request.signal,
      request,
      responseHeaders,
    };
    const asked = await withJsonBody(request, route.name);
    const { response } = await handler.handle(asked, { prefix: "/api", context: call });
    if (call.failure) throw call.failure.thrown;
    if (response === undefined) throw new Error(`${route.name} is in the route table, but oRPC does not match ${request.url}`);
    for (const [name, value] of responseHeaders) response.headers.append(name, value);
    return response;
  };
}
