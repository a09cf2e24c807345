import { randomBytes } from "node:crypto";
import { isHostProof, LarderError, redact } from "../../contract/index.ts";
import type { Logger } from "../../lib/index.ts";
import type { Authenticator } from "../auth/authenticator.ts";
import type { HostAuthenticator } from "../auth/host-authenticator.ts";
import type { Principal } from "../auth/principal.ts";
import type { ServedRequest } from "../metrics/metrics.ts";
import type { ConsolePages } from "../web/console-pages.ts";
import type { Admission } from "./admission.ts";
import { assertFromOwnPage, assertNotCrossSite } from "./browser-safety.ts";
import { errorResponse } from "./error-response.ts";
import { withProvenBody } from "./request-body.ts";
import { visibleError } from "./request-error.ts";
import { matchRoute, type Route } from "./route-table.ts";

/** One request on its way through. */
export interface Exchange {
  request: Request;
  url: URL;
  id: string;
  log: Logger;
  route: Route;
  params: Record<string, string>;
  /** Absent only where the access table says `anyone`. */
  principal: Principal | undefined;
  /** Lifts the idle time limit, for a response that may be silent for long. */
  keepOpen(): void;
}

export type Dispatch = (exchange: Exchange) => Promise<Response>;

interface HandlerOptions {
  authenticator: Authenticator;
  hostAuthenticator: HostAuthenticator;
  admission: Admission;
  logger: Logger;
  dispatch: Dispatch;
  /** Answers what is no route, for people with a browser. */
  pages: ConsolePages | undefined;
  observe(request: ServedRequest): void;
  /** Then every answer ends its connection, so that nobody keeps one to a replica that goes away. */
  isStopping(): boolean;
}

/** What every request passes: route, browser safety, token, role; then its own handler; then headers and the log. */
export function createFetchHandler(options: HandlerOptions) {
  const { authenticator, hostAuthenticator, admission, logger, dispatch, pages, observe, isStopping } = options;
  /** By a host's key, a token, or a browser's session. */
  const identify = async (request: Request, url: URL): Promise<{ principal: Principal; bodyDigest?: string | undefined }> => {
    const header = request.headers.get("authorization");
    if (!isHostProof(header)) return { principal: await callerOf(request, authenticator) };
    return await hostAuthenticator.authenticate(header, { method: request.method, path: url.pathname + url.search });
  };
  const answer = async (asked: Pick<Exchange, "request" | "url" | "id" | "keepOpen">, entry: Partial<LogEntry>) => {
    const { request, url, id } = asked;
    const { route, params } = findRoute(request, url);
    entry.route = route.name;
    // Before anything that costs.
    admission.admit(route.name);
    assertNotCrossSite(request, url);
    const { principal, bodyDigest: digest } = route.access === "anyone" ? {} : await identify(request, url);
    if (principal) entry.principal = principal.tokenId;
    assertRole(route, principal);
    const proven = digest === undefined ? request : await withProvenBody(request, { routeName: route.name, digest });
    return await dispatch({ ...asked, request: proven, log: logger.child({ requestId: id }), route, params, principal });
  };
  return async (request: Request, { keepOpen }: Pick<Exchange, "keepOpen">): Promise<Response> => {
    const startedAt = performance.now();
    const id = randomBytes(8).toString("hex");
    const url = new URL(request.url);
    const entry: { route?: string; principal?: string; error?: LarderError } = {};
    let response: Response;
    try {
      const page = await pages?.(request, url);
      response = page ?? (await answer({ request, url, id, keepOpen }, entry));
    } catch (thrown) {
      // Whoever asked has gone; what that made fail is no trouble of ours.
      entry.error = request.signal.aborted ? new LarderError("E_CANCELLED", "The caller has gone.") : visibleError(thrown, id);
      response = errorResponse(entry.error);
    }
    const secured = withCommonHeaders(response, id);
    if (isStopping()) secured.headers.set("connection", "close");
    const ms = performance.now() - startedAt;
    observe({ route: entry.route, status: secured.status, seconds: ms / 1000 });
    writeLog(logger, { id, request, url, status: secured.status, ms: Math.round(ms), ...entry });
    return secured;
  };
}

/** A token in the request comes before a cookie, which browsers add unasked. */
async function callerOf(request: Request, authenticator: Authenticator): Promise<Principal> {
  const authorization = request.headers.get("authorization");
  const signedIn = authorization === null ? await authenticator.findSession(request.headers.get("cookie")) : undefined;
  if (signedIn === undefined) return await authenticator.authenticate(authorization);
  assertFromOwnPage(request);
  return signedIn;
}

function findRoute(request: Request, url: URL): { route: Route; params: Record<string, string> } {
  const match = matchRoute(request.method, url.pathname);
  if (match.kind === "found") return match;
  const what = `There is no ${request.method} ${url.pathname.slice(0, 200)}.`;
  if (match.kind === "none") throw new LarderError("E_NOT_FOUND", what, { hint: "See /api/openapi.json for what there is." });
  const allowed = [...new Set(match.allowed)];
  throw new LarderError("E_METHOD_NOT_ALLOWED", what, { hint: `This path takes ${allowed.join(", ")}.`, details: { allowed } });
}

function assertRole(route: Route, principal: Principal | undefined): void {
  if (route.access === "anyone" || (principal && route.access.includes(principal.role))) return;
  throw new LarderError("E_FORBIDDEN", `A token of role ${principal?.role} may not do this (${route.name}).`, {
    hint: `Use a token of role ${route.access.join(" or ")}.`,
  });
}

function withCommonHeaders(response: Response, id: string): Response {
  response.headers.set("x-content-type-options", "nosniff");
  response.headers.set("x-request-id", id);
  if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
  return response;
}

interface LogEntry {
  id: string;
  request: Request;
  url: URL;
  status: number;
  ms: number;
  route?: string;
  principal?: string;
  error?: LarderError;
}

function writeLog(logger: Logger, { id, request, url, status, ms, route, principal, error }: LogEntry): void {
  const level = status >= 500 ? "error" : status >= 400 ? "info" : "debug";
  const cause = status >= 500 && error ? { err: error.cause ?? error } : {};
  logger[level](
    {
      requestId: id,
      method: request.method,
      path: redact(url.pathname),
      route,
      status,
      ms,
      principal,
      code: error?.code,
      ...cause,
    },
    "request",
  );
}
