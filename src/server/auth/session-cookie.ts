import { randomBytes } from "node:crypto";

/** What a session's cookie holds: `ldr_session_<secret>`, which the redaction of tokens knows too. */
export const createSessionText = (): string => `ldr_session_${randomBytes(32).toString("base64url")}`;

const sessionText = /^ldr_session_[\w-]{43}$/;
/** A browser takes a name with this prefix only over TLS, from the host itself, for every path: no sibling of the host can plant one. */
const hostOnly = "__Host-";

/** Cookies know no ports: two servers on one machine must not sign each other's users out. */
const cookieName = (storeId: string): string => `larder_${storeId.replace(/[^0-9a-z]/gi, "").slice(0, 12)}`;

/** The session that a `Cookie` header names. Of two with one name somebody else planted one, so neither counts. */
export function readSessionCookie(header: string | null, storeId: string): string | undefined {
  const pairs = (header ?? "").split(";").map((pair) => pair.trim().split("="));
  for (const name of [hostOnly + cookieName(storeId), cookieName(storeId)]) {
    const values = pairs.filter(([key]) => key === name).map(([, value]) => value ?? "");
    if (values.length > 0) return values.length === 1 && sessionText.test(values[0] ?? "") ? values[0] : undefined;
  }
  return undefined;
}

interface CookieTarget {
  storeId: string;
  /** Whether the browser reaches the server over TLS. */
  secure: boolean;
}

/** A `Set-Cookie` header for as long as the session lasts. */
export const sessionCookie = (text: string, lifeMs: number, target: CookieTarget): string =>
  `${attributed(text, target)}; Max-Age=${Math.floor(lifeMs / 1000)}`;

/** The `Set-Cookie` headers that clear it, whichever way it came. */
export const clearedSessionCookies = (storeId: string): string[] =>
  [true, false].map((secure) => `${attributed("", { storeId, secure })}; Max-Age=0`);

function attributed(value: string, { storeId, secure }: CookieTarget): string {
  const name = `${secure ? hostOnly : ""}${cookieName(storeId)}`;
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
}
