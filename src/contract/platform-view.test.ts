import { expect, test } from "bun:test";
import type { Manifest } from "./manifest.ts";
import { parsePlatform } from "./platform.ts";
import { viewForPlatform } from "./platform-view.ts";

const node = (id: string, rest: object = {}) => {
  const at = id.lastIndexOf("@");
  return [
    id,
    { name: id.slice(0, at), version: id.slice(at + 1), integrity: `sha512-${"A".repeat(86)}==`, dependencies: {}, ...rest },
  ] as const;
};
const manifest = (roots: Record<string, string>, ...nodes: (readonly [string, object])[]) =>
  ({ format: 1, roots, nodes: Object.fromEntries(nodes) }) as unknown as Manifest;

const linux = parsePlatform("linux-x64-glibc");
const musl = parsePlatform("linux-x64-musl");

test("each platform gets its own optional builds and no other", () => {
  const graph = manifest(
    { tool: "tool@1.0.0" },
    node("tool@1.0.0", { dependencies: { gnu: "gnu@1.0.0", musl: "musl@1.0.0" }, optional: ["gnu", "musl"] }),
    node("gnu@1.0.0", { os: ["linux"], libc: ["glibc"], dependencies: { shared: "shared@1.0.0" } }),
    node("musl@1.0.0", { os: ["linux"], libc: ["musl"] }),
    node("shared@1.0.0"),
  );
  expect([...viewForPlatform(graph, linux).nodes].sort()).toEqual(["gnu@1.0.0", "shared@1.0.0", "tool@1.0.0"]);
  expect([...viewForPlatform(graph, musl).nodes].sort()).toEqual(["musl@1.0.0", "tool@1.0.0"]);
});

test("what requires an absent package is absent too, with the reason, and the rest stays", () => {
  const graph = manifest(
    { app: "app@1.0.0", other: "other@1.0.0" },
    node("app@1.0.0", { dependencies: { mid: "mid@1.0.0" } }),
    node("mid@1.0.0", { dependencies: { mac: "mac@1.0.0", app: "app@1.0.0" } }),
    node("mac@1.0.0", { os: ["darwin"] }),
    node("other@1.0.0"),
  );
  const view = viewForPlatform(graph, linux);
  expect([...view.nodes]).toEqual(["other@1.0.0"]);
  expect(Object.fromEntries(view.unavailable)).toEqual({
    app: "app@1.0.0 needs mid@1.0.0 needs mac@1.0.0 has no build for linux-x64-glibc",
  });
});
