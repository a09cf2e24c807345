import { z } from "zod";
import { LarderError } from "./larder-error.ts";
import { type Manifest, manifestSchema } from "./manifest.ts";

/** A manifest from its JSON, with every root and edge checked to end at a node of it. Throws `E_MANIFEST`. Says nothing of its hash. */
export function parseManifest(text: string): Manifest {
  const manifest = parseShape(text);
  const ids = new Set(Object.keys(manifest.nodes));
  const ends = [
    ...Object.values(manifest.roots),
    ...Object.values(manifest.nodes).flatMap((node) => Object.values(node.dependencies)),
  ];
  const dangling = ends.find((id) => !ids.has(id));
  if (dangling !== undefined)
    throw new LarderError("E_MANIFEST", `The manifest names ${JSON.stringify(dangling)} but does not hold it.`);
  return manifest;
}

function parseShape(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LarderError("E_MANIFEST", "The manifest is not JSON.", { cause });
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new LarderError("E_MANIFEST", `The manifest is not of format 1: ${z.prettifyError(parsed.error)}`);
}
