import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { blobKeyOf, type Integrity, type Manifest } from "../../contract/index.ts";
import { diffManifests } from "./diff-manifests.ts";

const integrityFor = (id: string) => `sha512-${createHash("sha512").update(id).digest("base64")}` as Integrity;

function manifest(roots: string[], ...ids: string[]): Manifest {
  const nodes = ids.map((id) => {
    const at = id.lastIndexOf("@");
    return [id, { name: id.slice(0, at), version: id.slice(at + 1), integrity: integrityFor(id), dependencies: {} }];
  });
  return {
    format: 1,
    roots: Object.fromEntries(roots.map((id) => [id.slice(0, id.lastIndexOf("@")), id])),
    nodes: Object.fromEntries(nodes),
  } as Manifest;
}

const size = () => ({ sizeBytes: 100, unpackedBytes: 300 });

test("names what was added, removed and changed, with all versions, bytes, and who is only transitive", () => {
  const from = manifest(["a@1.0.0", "gone@1.0.0"], "a@1.0.0", "gone@1.0.0", "deep@1.0.0", "same@1.0.0");
  const to = manifest(["a@2.0.0", "new@1.0.0"], "a@2.0.0", "new@1.0.0", "deep@1.0.0", "deep@10.0.0", "deep@9.0.0", "same@1.0.0");
  const { changes, ...totals } = diffManifests(from, to, size);
  const bytes = (added: number, removed: number) => ({
    addedBytes: added * 100,
    addedUnpackedBytes: added * 300,
    removedBytes: removed * 100,
  });
  expect(changes).toEqual([
    { name: "a", change: "changed", from: ["1.0.0"], to: ["2.0.0"], transitive: false, ...bytes(1, 1) },
    { name: "deep", change: "changed", from: ["1.0.0"], to: ["1.0.0", "9.0.0", "10.0.0"], transitive: true, ...bytes(2, 0) },
    { name: "gone", change: "removed", from: ["1.0.0"], to: [], transitive: false, ...bytes(0, 1) },
    { name: "new", change: "added", from: [], to: ["1.0.0"], transitive: false, ...bytes(1, 0) },
  ] as never);
  expect(totals).toEqual({
    ...bytes(4, 2),
    sizes: {
      from: { nodes: 4, packedBytes: 400, unpackedBytes: 1200 },
      to: { nodes: 6, packedBytes: 600, unpackedBytes: 1800 },
    },
  });
});

test("sees other bytes under the same version, and nothing between equals", () => {
  const from = manifest(["a@1.0.0"], "a@1.0.0");
  const to = structuredClone(from);
  expect(diffManifests(from, to, size).changes).toEqual([]);
  const node = Object.values(to.nodes)[0];
  if (node) node.integrity = integrityFor("other bytes");
  const sizeOf = (key: string) => (key === blobKeyOf(integrityFor("other bytes")) ? { sizeBytes: 7 } : undefined);
  expect(diffManifests(from, to, sizeOf).changes).toMatchObject([{ name: "a", change: "changed", addedBytes: 7 }]);
});

test("bytes that two names share count once in all", () => {
  const to = manifest(["a@1.0.0", "b@1.0.0"], "a@1.0.0", "b@1.0.0");
  for (const node of Object.values(to.nodes)) node.integrity = integrityFor("shared");
  const diff = diffManifests(manifest([]), to, size);
  expect(diff.changes.map(({ addedBytes }) => addedBytes)).toEqual([100, 100]);
  expect([diff.addedBytes, diff.sizes.to.packedBytes]).toEqual([100, 100]);
});
