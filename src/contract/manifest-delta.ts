import { z } from "zod";
import { canonicalJson } from "./canonical-json.ts";
import { type Manifest, manifestFormat, manifestNodeSchema, type NodeId } from "./manifest.ts";
import { packageNameSchema } from "./package-name.ts";
import { assertEdges } from "./parse-manifest.ts";

/** What makes one manifest of another. A host that has the older one needs no more, however large the graph is. */
export const manifestDeltaSchema = z.object({
  format: z.literal(manifestFormat),
  roots: z.record(packageNameSchema, z.string()),
  /** Nodes that the older one lacks, or has otherwise. */
  changed: z.record(z.string(), manifestNodeSchema),
  removed: z.array(z.string()),
});
export type ManifestDelta = z.infer<typeof manifestDeltaSchema>;

export function diffManifests(from: Manifest, to: Manifest): ManifestDelta {
  const changed: ManifestDelta["changed"] = {};
  for (const [id, node] of Object.entries(to.nodes)) {
    const before = from.nodes[id];
    // Members in another order are sent once too often, no more.
    if (before === undefined || JSON.stringify(before) !== JSON.stringify(node)) changed[id] = node;
  }
  const removed = Object.keys(from.nodes).filter((id) => !Object.hasOwn(to.nodes, id));
  return { format: manifestFormat, roots: to.roots, changed, removed };
}

/** Nodes that did not change are the same objects in both. Throws `E_MANIFEST` when an edge ends nowhere. Says nothing of the hash. */
export function applyManifestDelta(from: Manifest, { roots, changed, removed }: ManifestDelta): Manifest {
  const nodes: Manifest["nodes"] = { ...from.nodes, ...changed };
  for (const id of removed) delete nodes[id];
  const manifest: Manifest = { format: manifestFormat, roots, nodes };
  assertEdges(manifest);
  return manifest;
}

/** `canonicalJson(manifest)`, with the text of each node taken from `texts` where it is known, and left there. */
export function formatManifest(manifest: Manifest, texts: Map<NodeId, { node: object; text: string }>): string {
  const members = Object.keys(manifest.nodes)
    .sort()
    .map((id) => {
      const node = manifest.nodes[id] as object;
      const known = texts.get(id);
      if (known?.node === node) return known.text;
      const text = `${JSON.stringify(id)}:${canonicalJson(node)}`;
      texts.set(id, { node, text });
      return text;
    });
  return `{"format":${manifest.format},"nodes":{${members.join(",")}},"roots":${canonicalJson(manifest.roots)}}`;
}
