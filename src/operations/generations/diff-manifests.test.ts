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

const size = () => 100;

test("names what was added, removed and changed, with all versions and who is only transitive", () => {
  const from = manifest(["a@1.0.0", "gone@1.0.0"], "a@1.0.0", "gone@1.0.0", "deep@1.0.0", "same@1.0.0");
  const to = manifest(["a@2.0.0", "new@1.0.0"], "a@2.0.0", "new@1.0.0", "deep@1.0.0", "deep@10.0.0", "deep@9.0.0", "same@1.0.0");
  expect(diffManifests(from, to, size)).toEqual([
    { name: "a", change: "changed", from: ["1.0.0"], to: ["2.0.0"], transitive: false, addedBytes: 100 },
    { name: "deep", change: "changed", from: ["1.0.0"], to: ["1.0.0", "9.0.0", "10.0.0"], transitive: true, addedBytes: 200 },
    { name: "gone", change: "removed", from: ["1.0.0"], to: [], transitive: false, addedBytes: 0 },
    { name: "new", change: "added", from: [], to: ["1.0.0"], transitive: false, addedBytes: 100 },
  ] as never);
});

test("sees other bytes under the same version, and nothing between equals", () => {
  const from = manifest(["a@1.0.0"], "a@1.0.0");
  const to = structuredClone(from);
  expect(diffManifests(from, to, size)).toEqual([]);
  const node = Object.values(to.nodes)[0];
  if (node) node.integrity = integrityFor("other bytes");
  const sizeOf = (key: string) => (key === blobKeyOf(integrityFor("other bytes")) ? 7 : undefined);
  expect(diffManifests(from, to, sizeOf)).toMatchObject([{ name: "a", change: "changed", addedBytes: 7 }]);
});
