import { type Manifest, nodeOf, type PackageName, type SpecifierTypes } from "../contract/index.ts";
import { isNotExported } from "./find-in-package.ts";
import type { Layout } from "./layout.ts";
import type { Resolver, Target } from "./resolver.ts";
import { companionOf, parseSpecifier, runtimeOf } from "./specifier.ts";

/** Where the declarations of what a script imports begin. */
export function startAt(specifier: string, resolver: Resolver): Target[] | "unknown" {
  const runtime = runtimeOf(specifier);
  const parsed = parseSpecifier(specifier);
  const own = parsed ? resolver.resolve(parsed) : [];
  // A package may have the name of a module that the runtime has built in.
  const builtIn = runtime ? resolver.resolveTypes(runtime) : [];
  return own === "unknown" || builtIn === "unknown" ? "unknown" : [...own, ...builtIn];
}

interface Scene {
  manifest: Manifest;
  resolver: Resolver;
  layout: Layout;
}

/** What there is to say of a specifier whose declarations begin at `targets`. */
export function describeSpecifier(
  specifier: string,
  targets: readonly Target[],
  { manifest, resolver, layout }: Scene,
): Omit<SpecifierTypes, "specifier"> | "unknown" {
  const parsed = parseSpecifier(specifier);
  const runtime = runtimeOf(specifier);
  const place = parsed && layout.top.get(parsed.name);
  const source = targets[0] && sourceOf(targets[0], manifest);
  if (runtime && !place) {
    if (source) return { status: "typed", ...source };
    const companion = companionOf(runtime as PackageName);
    return {
      status: "noTypes",
      hint: `It is built into the runtime; its types come with ${companion}: put that on the allowlist.`,
    };
  }
  if (parsed === undefined) return { status: "notAPackage", hint: "Import a package by its name." };
  if (!place) {
    return { status: "notAllowlisted", ...source, hint: `Ask an admin to put ${parsed.name} on the allowlist.` };
  }
  if (source) return { status: "typed", ...source };
  const outline = resolver.outlineOf(place);
  if (outline === "unknown") return "unknown";
  const { name, version } = nodeOf(manifest, place.node);
  if (outline && isNotExported(outline, parsed.subpath)) {
    return { status: "noSuchPath", hint: `${name}@${version} does not export ${JSON.stringify(`.${parsed.subpath}`)}.` };
  }
  const companion = companionOf(parsed.name);
  const hasCompanion = companion === parsed.name || layout.top.has(companion);
  return {
    status: "noTypes",
    hint: hasCompanion
      ? `${specifier} has no types in this version; what it exports is \`any\`.`
      : `${name}@${version} brings no types${parsed.subpath === "" ? "" : " for this path"}. If there is a package ${companion}, put it on the allowlist.`,
  };
}

function sourceOf({ place, path }: Target, manifest: Manifest): { package: string; entry: string } {
  const { name, version } = nodeOf(manifest, place.node);
  return { package: `${name}@${version}`, entry: `${place.path}/${path}` };
}
