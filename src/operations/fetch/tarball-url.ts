import { LarderError, type ManifestNode } from "../../contract/index.ts";
import type { InstallOptions } from "../install/install-options.ts";

/** Where the registry says a version's tarball is: `dist.tarball` of its packument, from the cache as long as the registry confirms it. */
export async function tarballUrl(
  options: Pick<InstallOptions, "registry" | "cache">,
  { name, version }: Pick<ManifestNode, "name" | "version">,
  signal: AbortSignal,
): Promise<string> {
  const cached = options.cache.get(name);
  const known = cached?.body.versions[version]?.dist.tarball;
  if (known !== undefined) return known;
  const answer = await options.registry.packument(name, { signal });
  const url = answer.kind === "ok" ? answer.body.versions[version]?.dist.tarball : undefined;
  if (url !== undefined) return url;
  throw new LarderError(
    answer.kind === "absent" ? "E_PACKAGE_NOT_FOUND" : "E_VERSION_NOT_FOUND",
    `The registry does not have ${name}@${version} any more.`,
    {
      hint: "It was unpublished. Pin another version, or put its tarball back into the registry.",
      details: { package: `${name}@${version}` },
    },
  );
}
