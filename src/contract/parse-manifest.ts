import { z } from "zod";
import { LarderError } from "./larder-error.ts";
import { type Manifest, manifestSchema } from "./manifest.ts";

/** A manifest from its JSON, with every root and edge checked to end at a node of it. Throws `E_MANIFEST`. Says nothing of its hash. */
export function parseManifest(text: string): Manifest {
  const manifest = parseShape(text);
  assertEdges(manifest);
  return manifest;
}

/** Throws `E_MANIFEST` when a root or an edge ends at no node. */
export function assertEdges({ roots, nodes }: Manifest): void {
  const assertEnds = (ends: Readonly<Record<string, string>>) => {
    for (const alias in ends) {
      const id = ends[alias] as string;
      if (Object.hasOwn(nodes, id)) continue;
      throw new LarderError("E_MANIFEST", `The manifest names ${JSON.stringify(id)} but does not hold it.`);
    }
  };
  assertEnds(roots);
  for (const id in nodes) assertEnds((nodes[id] as Manifest["nodes"][string]).dependencies);
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
