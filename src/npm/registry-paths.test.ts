import { afterEach, describe, expect, test } from "bun:test";
import type { PackageName } from "../contract/index.ts";
import { clientOf, closeSites, configOf, drain, packument, site, token } from "./testing/registry-site.ts";

afterEach(closeSites);

describe("registries with paths in their addresses", () => {
  const styles: [kind: string, path: string, tarball: (origin: string) => string][] = [
    [
      "Artifactory",
      "/artifactory/api/npm/npm-local/",
      (origin) => `${origin}/artifactory/api/npm/npm-local/@corp/x/-/@corp/x-1.0.0.tgz`,
    ],
    ["Nexus", "/repository/npm-hosted/", (origin) => `${origin}/repository/npm-hosted/@corp/x/-/x-1.0.0.tgz`],
    ["CodeArtifact", "/npm/my_repo/", (origin) => `${origin}/npm/my_repo/@corp/x/-/x-1.0.0.tgz`],
    ["GitHub", "/", (origin) => `${origin}/download/@corp/x/1.0.0/0123456789abcdef`],
    ["without a slash at its end", "/npm", (origin) => `${origin}/npm/@corp/x/-/x-1.0.0.tgz`],
  ];
  test.each(styles)("%s: packument, tarball and search below the path, each with the token", async (_, path, tarball) => {
    const { url, seen } = await site((request, response) => {
      if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end();
      if (request.url!.includes("/-/v1/search"))
        return void response.end(JSON.stringify({ objects: [{ package: { name: "@corp/x" } }] }));
      if (request.url!.endsWith("%2fx")) return void response.end(packument("@corp/x", tarball(url.origin)));
      response.end("tarball");
    });
    const address = new URL(path, url);
    const prefix = new URL(path.endsWith("/") ? path : `${path}/`, url);
    const client = clientOf(configOf(address, { credentials: { prefix, header: () => `Bearer ${token}` } }));
    const answer = await client.packument("@corp/x" as PackageName);
    if (answer.kind !== "ok") throw new Error(answer.kind);
    expect(
      await drain(await client.tarball(answer.body.versions["1.0.0"]!.dist.tarball, { name: answer.body.name, label: "x" })),
    ).toBe(7);
    expect(await client.search("x", { limit: 5 })).toMatchObject([{ name: "@corp/x" }]);
    expect(seen.map(({ path: each }) => each.startsWith(prefix.pathname))).toEqual([true, true, true]);
    expect(seen[0]?.path).toBe(`${prefix.pathname}@corp%2fx`);
  });
});
