import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type BuiltPackage, buildPackage, type FixturePackage } from "./fixture-package.ts";
import { answerFaultily, answerHonestly, type HonestAnswer, type RegistryFault, type RegistryRequest } from "./registry-fault.ts";

type FaultScript = (request: RegistryRequest) => RegistryFault | undefined;

export interface FixtureRegistry extends AsyncDisposable {
  /** Ends with a slash. */
  url: string;
  /** Every request so far, oldest first. */
  requests: RegistryRequest[];
  add(...packages: FixturePackage[]): void;
  /** One version, or all of the name. */
  remove(name: string, version?: string): void;
  setDistTag(name: string, tag: string, version: string): void;
  get(name: string, version: string): BuiltPackage;
  /** Asked for every request from now on, after those of `failRequest`; `undefined` clears it. */
  fault(script: FaultScript | undefined): void;
  /** The k-th request from now (1 is the next one) meets this fault. */
  failRequest(k: number, fault: RegistryFault): void;
  /** No fault from now on, and counting for `failRequest` starts again. */
  heal(): void;
}

/**
 * An npm registry on loopback, from a table of packages: packuments (full and abbreviated, ETag), tarballs, dist-tags. `latest` is the highest
 * version added unless `setDistTag` says otherwise. With `token`, whoever does not send it gets 401.
 */
export async function openFixtureRegistry(
  packages: readonly FixturePackage[] = [],
  { token, host = "127.0.0.1" }: { token?: string; host?: string } = {},
): Promise<FixtureRegistry> {
  const shelf = new Map<string, Map<string, BuiltPackage>>();
  const distTags = new Map<string, Record<string, string>>();
  const requests: RegistryRequest[] = [];
  let script: FaultScript | undefined;
  let planned = new Map<number, RegistryFault>();

  const server = createServer((message, response) => {
    const request = describeRequest(message, requests.length + 1);
    requests.push(request);
    const fault = planned.get(request.number) ?? script?.(request);
    const honest = answer(request);
    if (fault) answerFaultily(response, fault, honest);
    else answerHonestly(response, honest);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://${host}:${port}/`;

  function answer(request: RegistryRequest): HonestAnswer {
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) return failure(401, "unauthorized");
    const versions = request.name === undefined ? undefined : shelf.get(request.name);
    if (request.name === undefined || versions === undefined) return failure(404, "Not found");
    if (request.kind === "tarball") {
      const built = [...versions.values()].find(
        ({ name, version }) => tarballPath(name, version) === decodeURIComponent(request.path).slice(1),
      );
      return built
        ? { status: 200, headers: { "content-type": "application/octet-stream" }, body: built.tarball }
        : failure(404, "Not found");
    }
    return packumentAnswer(request, [...versions.values()], { url, tags: distTags.get(request.name) ?? {} });
  }

  const registry: FixtureRegistry = {
    url,
    requests,
    add(...more) {
      for (const built of more.map(buildPackage)) {
        const versions = shelf.get(built.name) ?? new Map<string, BuiltPackage>();
        shelf.set(built.name, versions.set(built.version, built));
      }
    },
    remove(name, version) {
      if (version === undefined) shelf.delete(name);
      else shelf.get(name)?.delete(version);
    },
    setDistTag(name, tag, version) {
      distTags.set(name, { ...distTags.get(name), [tag]: version });
    },
    get(name, version) {
      const built = shelf.get(name)?.get(version);
      if (built === undefined) throw new Error(`The fixture registry has no ${name}@${version}.`);
      return built;
    },
    fault(next) {
      script = next;
    },
    failRequest(k, fault) {
      planned.set(requests.length + k, fault);
    },
    heal() {
      script = undefined;
      planned = new Map();
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  registry.add(...packages);
  return registry;
}

function describeRequest({ method = "GET", url = "/", headers }: IncomingMessage, number: number): RegistryRequest {
  const path = url.split("?")[0] as string;
  const plain = tryDecode(path.slice(1));
  const [, name, rest] = /^((?:@[^/]+\/)?[^/@-][^/]*)(?:\/(.*))?$/.exec(plain) ?? [];
  const kind = name === undefined ? "other" : rest === undefined ? "packument" : rest.startsWith("-/") ? "tarball" : "other";
  return { number, method, path: url, headers, kind, name };
}

function tryDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const tarballPath = (name: string, version: string): string => `${name}/-/${name.replace(/^@[^/]+\//, "")}-${version}.tgz`;

const failure = (status: number, error: string): HonestAnswer => ({
  status,
  headers: { "content-type": "application/json" },
  body: Buffer.from(JSON.stringify({ error })),
});

const abbreviatedType = "application/vnd.npm.install-v1+json";
/** What a registry keeps in an abbreviated packument. */
const abbreviatedMembers =
  "name version deprecated dependencies optionalDependencies peerDependencies peerDependenciesMeta bin os cpu libc engines bundleDependencies hasInstallScript".split(
    " ",
  );

function packumentAnswer(
  { headers, name }: RegistryRequest,
  versions: BuiltPackage[],
  { url, tags }: { url: string; tags: Record<string, string> },
): HonestAnswer {
  const abbreviated = headers.accept?.includes(abbreviatedType) === true;
  const documents = versions.map((built) => {
    const { document, dist, version } = built;
    const kept = abbreviated
      ? Object.fromEntries(Object.entries(document).filter(([key]) => abbreviatedMembers.includes(key)))
      : document;
    return [version, { ...kept, dist: { ...dist, tarball: `${url}${tarballPath(built.name, version)}` } }];
  });
  const times = versions.map(({ version, publishedAt }, day) => [
    version,
    publishedAt ?? new Date(Date.UTC(2020, 0, 1 + day)).toISOString(),
  ]);
  const modified = times.map(([, time]) => time as string).reduce((a, b) => (a > b ? a : b), "2020-01-01T00:00:00.000Z");
  const latest = versions
    .map(({ version }) => version)
    .sort(compareVersions)
    .at(-1);
  const packument = {
    ...(abbreviated
      ? { modified }
      : { _id: name, time: { created: times[0]?.[1] ?? modified, modified, ...Object.fromEntries(times) } }),
    name,
    "dist-tags": { ...(latest !== undefined && { latest }), ...tags },
    versions: Object.fromEntries(documents),
  };
  const body = Buffer.from(JSON.stringify(packument));
  const etag = `"${createHash("sha1").update(body).digest("hex")}"`;
  const type = { "content-type": abbreviated ? abbreviatedType : "application/json", etag, vary: "accept" };
  if (headers["if-none-match"] === etag) return { status: 304, headers: type, body: Buffer.alloc(0) };
  return { status: 200, headers: type, body };
}

/** Releases before pre-releases, then by number: enough to choose `latest`. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[-+]/)[0]?.split(".").map(Number) ?? []) as [number[], number[]];
  const released = Number(!a.includes("-")) - Number(!b.includes("-"));
  return released || left.map((part, i) => part - (right[i] ?? 0)).find((difference) => difference !== 0) || a.localeCompare(b);
}
