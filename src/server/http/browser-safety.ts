import { LarderError } from "../../contract/index.ts";

const reading = new Set(["GET", "HEAD"]);

/**
 * Refuses what another site's page can make a browser send: a changing request from a foreign origin, or in one of the content types that need no
 * preflight. Throws `E_FORBIDDEN`. Callers that are not browsers send none of these headers.
 */
export function assertNotCrossSite(request: Request, url: URL): void {
  if (reading.has(request.method)) return;
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") throw crossSite(`the browser says that it is ${site}`);
  const origin = request.headers.get("origin");
  if (origin !== null && !isOwnOrigin(origin, url, request.headers.get("host")))
    throw crossSite(`it comes from ${origin.slice(0, 200)}`);
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== undefined && type !== "application/json") throw crossSite(`its content type is ${type.slice(0, 100)}`);
}

/**
 * Refuses, with `E_FORBIDDEN`, what came with a session's cookie and is not known to be from our own pages. A browser adds the cookie by itself, so that
 * it proves nothing: a change must come with `Sec-Fetch-Site` or `Origin`. Call after `assertNotCrossSite`, which compares the latter.
 */
export function assertFromOwnPage(request: Request): void {
  const site = request.headers.get("sec-fetch-site");
  if (reading.has(request.method)) {
    if (site === "cross-site" || site === "same-site") throw crossSite(`the browser says that it is ${site}`);
    return;
  }
  if (site === null && request.headers.get("origin") === null) throw crossSite("nothing says which page it comes from");
  if (site !== null && site !== "same-origin") throw crossSite("it comes from no page");
}

/** By host, not scheme: what ends TLS in front of us makes an `https` origin of our `http`. */
function isOwnOrigin(origin: string, url: URL, host: string | null): boolean {
  return URL.canParse(origin) && new URL(origin).host === (host ?? url.host);
}

const crossSite = (why: string): LarderError =>
  new LarderError("E_FORBIDDEN", `Refused: ${why}.`, {
    hint: "Changes are taken as application/json, from this server's own pages and from programs, not from other sites.",
  });
