import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalJson } from "./canonical-json.ts";
import type { Manifest, NodeId } from "./manifest.ts";
import { applyManifestDelta, diffManifests, formatManifest, manifestDeltaSchema } from "./manifest-delta.ts";

const integrity = (seed: number) => `sha512-${Buffer.alloc(64, seed).toString("base64")}`;

/** Nodes `p0@1.0.0`, `p1@1.0.0`, … of which each may depend on some of those there. */
const manifests = fc
  .uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 12 })
  .chain((present) =>
    fc.record({
      present: fc.constant(present),
      seeds: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 13, maxLength: 13 }),
      edges: fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { maxLength: 30 }),
      roots: fc.subarray(present),
    }),
  )
  .map(({ present, seeds, edges, roots }) => {
    const id = (index: number) => `p${index}@1.0.0`;
    const nodes = Object.fromEntries(
      present.map((index) => {
        const ends = edges.filter(([from, to]) => from === index && present.includes(to)).map(([, to]) => [`p${to}`, id(to)]);
        const node = { name: `p${index}`, version: "1.0.0", integrity: integrity(seeds[index] ?? 0) };
        return [id(index), { ...node, dependencies: Object.fromEntries(ends) }];
      }),
    );
    return { format: 1, roots: Object.fromEntries(roots.map((index) => [`p${index}`, id(index)])), nodes } as unknown as Manifest;
  });

describe("manifest delta", () => {
  test("what it makes of the older manifest is the newer one, to the byte", () => {
    fc.assert(
      fc.property(manifests, manifests, (from, to) => {
        const sent = manifestDeltaSchema.parse(JSON.parse(JSON.stringify(diffManifests(from, to))));
        const texts = new Map<NodeId, { node: object; text: string }>();
        expect(formatManifest(from, texts)).toBe(canonicalJson(from));
        expect(formatManifest(applyManifestDelta(from, sent), texts)).toBe(canonicalJson(to));
      }),
    );
  });

  test("names what changed, and nothing else", () => {
    const node = (seed: number) => ({ name: "a", version: "1.0.0", integrity: integrity(seed), dependencies: {} });
    const of = (nodes: object) => ({ format: 1, roots: {}, nodes }) as unknown as Manifest;
    const delta = diffManifests(of({ same: node(1), other: node(1), gone: node(1) }), of({ same: node(1), other: node(2) }));
    expect(Object.keys(delta.changed)).toEqual(["other"]);
    expect(delta.removed).toEqual(["gone"]);
  });

  test("refuses to take away what an edge ends at", () => {
    const node = { name: "a", version: "1.0.0", integrity: integrity(1), dependencies: { b: "b" } };
    const from = { format: 1, roots: {}, nodes: { a: node, b: { ...node, dependencies: {} } } } as unknown as Manifest;
    expect(() => applyManifestDelta(from, { format: 1, roots: {}, changed: {}, removed: ["b"] })).toThrow(/names "b"/);
  });
});
