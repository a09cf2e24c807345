import { rawRoutes } from "../../contract/index.ts";

type RawName = keyof typeof rawRoutes;

/** The parameters of the raw routes that have some, in the order in which `rawRoutes` takes them. */
export const rawParameters: Partial<Record<RawName, readonly string[]>> = {
  manifest: ["manifest"],
  blob: ["blob"],
  types: ["environment"],
  typesBundle: ["environment", "bundle"],
};

/** A raw route's path with `{name}` for each parameter. */
export function rawTemplate(name: RawName): string {
  const path = rawRoutes[name] as string | ((...parameters: string[]) => string);
  return typeof path === "string" ? path : path(...(rawParameters[name] ?? []).map((parameter) => `{${parameter}}`));
}
