import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

type Versions = Record<string, Record<string, unknown>>;

/** Tests only: a registry on loopback that answers from `packages` (name → version → fields), with ETags. */
export interface TestRegistry extends AsyncDisposable {
  url: URL;
  packages: Record<string, Versions>;
  /** Paths asked for, in order. */
  requests: string[];
  notModified: number;
  /** An HTTP status, or silence, in place of the answer. */
  fail: (name: string) => number | "hang" | undefined;
}

export async function openTestRegistry(packages: Record<string, Versions>): Promise<TestRegistry> {
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const name = decodeURIComponent(path.slice(1));
    registry.requests.push(path);
    const failure = registry.fail(name);
    if (failure === "hang") return;
    const versions = registry.packages[name];
    if (failure !== undefined || versions === undefined) return void response.writeHead(failure ?? 404).end("{}");
    const body = JSON.stringify(packument(name, versions, registry.url));
    const etag = `"${createHash("sha1").update(body).digest("hex")}"`;
    if (request.headers["if-none-match"] === etag) {
      registry.notModified++;
      return void response.writeHead(304).end();
    }
    response.writeHead(200, { "content-type": "application/json", etag }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const registry: TestRegistry = {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    packages,
    requests: [],
    notModified: 0,
    fail: () => undefined,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
  return registry;
}

function packument(name: string, versions: Versions, url: URL): object {
  const entries = Object.entries(versions).map(([version, fields]) => {
    const integrity = `sha512-${createHash("sha512").update(`${name}@${version}`).digest("base64")}`;
    return [version, { name, version, dist: { tarball: `${url}${name}/-/${name}-${version}.tgz`, integrity }, ...fields }];
  });
  return { name, "dist-tags": { latest: Object.keys(versions).at(-1) }, versions: Object.fromEntries(entries) };
}
