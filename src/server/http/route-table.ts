import { contract, rawRoutes } from "../../contract/index.ts";
import { type Access, contractAccess, rawAccess } from "./access-table.ts";
import { rawTemplate } from "./raw-template.ts";

export type RawName = keyof typeof rawRoutes;

export interface Route {
  /** `packages.add`, or a raw route's name. */
  name: string;
  kind: "contract" | "raw";
  method: string;
  /** As in the contract, `{name}` for a parameter, below the server's root. */
  path: string;
  access: Access;
}

export type RouteMatch =
  | { kind: "found"; route: Route; params: Record<string, string> }
  | { kind: "methodNotAllowed"; allowed: string[] }
  | { kind: "none" };

/** Raw routes come first: `/hosts/self` is not the host called `self`. */
export const routeTable: readonly Route[] = [...rawTable(), ...contractTable()];

/** Those without parameters, which hosts ask for most, are found at once. */
const fixed = new Map(
  routeTable.filter(({ path }) => !path.includes("{")).map((route) => [`${route.method} ${route.path}`, route] as const),
);
const compiled = routeTable.map((route) => ({ route, pattern: compile(route.path) }));

/** `HEAD` is served wherever `GET` is. Parameters are percent-decoded; one that cannot be decoded matches nothing. */
export function matchRoute(method: string, pathname: string): RouteMatch {
  const wanted = method === "HEAD" ? "GET" : method;
  const exact = fixed.get(`${wanted} ${pathname}`);
  if (exact) return { kind: "found", route: exact, params: {} };
  const allowed: string[] = [];
  for (const { route, pattern } of compiled) {
    const params = pattern.exec(pathname);
    if (params === null) continue;
    if (route.method !== wanted) allowed.push(route.method);
    else return decoded(route, params.groups ?? {});
  }
  return allowed.length > 0 ? { kind: "methodNotAllowed", allowed } : { kind: "none" };
}

function decoded(route: Route, groups: Record<string, string>): RouteMatch {
  try {
    const params = Object.fromEntries(Object.entries(groups).map(([key, value]) => [key, decodeURIComponent(value)]));
    return { kind: "found", route, params };
  } catch {
    // Not UTF-8 behind the percent signs.
    return { kind: "none" };
  }
}

function compile(path: string): RegExp {
  const source = path.replace(/[.]/g, "\\.").replace(/\{(\w+)\}/g, "(?<$1>[^/]+)");
  return new RegExp(`^${source}$`);
}

function rawTable(): Route[] {
  return (Object.keys(rawRoutes) as RawName[]).map((name) => {
    const method = name === "blobs" || name === "join" ? "POST" : "GET";
    return { name, kind: "raw", method, path: rawTemplate(name), access: rawAccess[name] };
  });
}

function contractTable(): Route[] {
  return Object.entries(contract).flatMap(([group, procedures]) =>
    Object.entries(procedures).map(([name, procedure]) => {
      const { method, path } = procedure["~orpc"].route;
      if (method === undefined || path === undefined) throw new Error(`${group}.${name} has no method or path`);
      const access = (contractAccess as Record<string, Record<string, Access>>)[group]?.[name];
      if (access === undefined) throw new Error(`${group}.${name} has no access`);
      return { name: `${group}.${name}`, kind: "contract", method, path: `/api${path}`, access };
    }),
  );
}
