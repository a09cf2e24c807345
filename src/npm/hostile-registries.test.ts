import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { LarderError, type PackageName, parsePackageName } from "../contract/index.ts";
import { classifyAddress } from "./outbound/address-class.ts";
import { createOutboundGuard } from "./outbound/outbound-guard.ts";
import {
  createRegistryClient,
  encodePackageName,
  type RegistryClientOptions,
  type SingleRegistryClient,
} from "./registry-client.ts";
import { isBelow, matchesPattern, type RegistryConfig } from "./registry-config.ts";
import { createRegistryRouter } from "./registry-router.ts";

const token = "canary-of-the-hostile-registry";
const lodash = "lodash" as PackageName;

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

interface Site {
  url: URL;
  seen: { path: string; authorization: string | undefined }[];
}

/** An HTTP server on loopback that remembers who came, and with what. */
async function site(
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
  host = "127.0.0.1",
  port = 0,
): Promise<Site> {
  const seen: Site["seen"] = [];
  const server = createServer((request, response) => {
    seen.push({ path: request.url ?? "", authorization: request.headers.authorization });
    answer(request, response, seen.length);
  });
  await new Promise<void>((done) => server.listen(port, host, done));
  open.push(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  return { url: new URL(`http://${host}:${(server.address() as AddressInfo).port}/`), seen };
}

const packument = (name: string, tarball = "https://registry.npmjs.org/x.tgz") =>
  JSON.stringify({
    name,
    "dist-tags": { latest: "1.0.0" },
    versions: { "1.0.0": { name, version: "1.0.0", dist: { tarball } } },
  });

function configOf(url: URL, more: Partial<RegistryConfig> = {}): RegistryConfig {
  return {
    name: "corp",
    url,
    scopes: [],
    names: [],
    tarballOrigins: [],
    credentials: { prefix: url, header: () => `Bearer ${token}` },
    ...more,
  };
}

const clientOf = (config: RegistryConfig, options: RegistryClientOptions = {}): SingleRegistryClient =>
  createRegistryClient({ config, attempts: 1, backoffBaseMs: 1, ...options });

async function refusal(promise: Promise<unknown>): Promise<LarderError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof LarderError)) throw error ?? new Error("It was not refused.");
  expect(JSON.stringify(error.toBody())).not.toContain(token);
  return error;
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) bytes += chunk.length;
  return bytes;
}

describe("a token", () => {
  test("goes to the address it is for and below, and nowhere else on that origin", async () => {
    const { url, seen } = await site((_, response) => response.end("x"));
    const client = clientOf(configOf(new URL("npm/private/", url)));
    const paths = [
      "npm/private/a.tgz",
      "npm/privateer/a.tgz",
      "npm/a.tgz",
      "npm/private/..%2fa.tgz",
      "npm/private/%2e%2e/a.tgz",
      "npm/private/%252e%252e/a.tgz",
    ];
    for (const path of paths) await drain(await client.tarball(`${url}${path}`, { name: lodash, label: "lodash@1.0.0" }));
    expect(seen.map(({ authorization }) => authorization !== undefined)).toEqual([true, false, false, false, false, false]);
  });

  test("is for the whole header of its origin: another port, scheme or host is another one", () => {
    const prefix = new URL("https://r.example/npm/");
    for (const other of [
      "http://r.example/npm/x",
      "https://r.example:8443/npm/x",
      "https://r.example.evil/npm/x",
      "https://evil/npm/x",
      "https://r.example/NPM/x",
    ])
      expect({ other, sent: isBelow(new URL(other), prefix) }).toEqual({ other, sent: false });
    expect(isBelow(new URL("https://R.example:443/npm/@s%2fx"), prefix)).toBe(true);
  });

  test("is dropped at a redirect to another host, and is back when one leads home", async () => {
    const elsewhere = await site((_, response) => response.writeHead(302, { location: `${home.url}home` }).end());
    const home = await site((_, response, count) =>
      count === 1 ? response.writeHead(302, { location: `${elsewhere.url}away` }).end() : response.end("x"),
    );
    const config = configOf(home.url, { tarballOrigins: [elsewhere.url.origin] });
    await drain(await clientOf(config).tarball(`${home.url}x.tgz`, { name: lodash, label: "lodash@1.0.0" }));
    expect(home.seen.map(({ authorization }) => authorization)).toEqual([`Bearer ${token}`, `Bearer ${token}`]);
    expect(elsewhere.seen).toEqual([{ path: "/away", authorization: undefined }]);
  });

  test("is never on a tarball's request to another origin, also when that is listed", async () => {
    const cdn = await site((_, response) => response.end("x"));
    const home = await site((_, response) => response.end("x"));
    const address = `${cdn.url}x.tgz`;
    expect(
      (await refusal(clientOf(configOf(home.url)).tarball(address, { name: lodash, label: "lodash@1.0.0" }))).message,
    ).toContain(cdn.url.host);
    expect(cdn.seen).toEqual([]);
    const listed = configOf(home.url, { tarballOrigins: [cdn.url.origin] });
    await drain(await clientOf(listed).tarball(address, { name: lodash, label: "lodash@1.0.0" }));
    expect(cdn.seen).toEqual([{ path: "/x.tgz", authorization: undefined }]);
  });

  test("of one registry is not for another: the default and a scope, one token", async () => {
    const main = await site((_, response) => response.end(packument("lodash")));
    const corp = await site((_, response) => response.end(packument("@corp/x")));
    const router = createRegistryRouter({
      main: configOf(main.url, { name: "default", credentials: undefined }),
      others: [configOf(corp.url, { scopes: ["@corp"] })],
    });
    await router.packument(lodash);
    await router.packument("@corp/x" as PackageName);
    expect([main.seen[0]?.authorization, corp.seen[0]?.authorization]).toEqual([undefined, `Bearer ${token}`]);
  });

  test("that cannot be opened is a refusal, and nobody is asked without it", async () => {
    const { url, seen } = await site((_, response) => response.end(packument("lodash")));
    const refused = new LarderError("E_SECRET_KEY", "No key.");
    const client = clientOf(configOf(url, { credentials: { refused } }));
    expect((await refusal(client.packument(lodash))).code).toBe("E_SECRET_KEY");
    expect((await refusal(client.tarball(`${url}x.tgz`, { name: lodash, label: "lodash@1.0.0" }))).code).toBe("E_SECRET_KEY");
    expect((await refusal(client.search("x", { limit: 1 }))).code).toBe("E_SECRET_KEY");
    expect(seen).toEqual([]);
  });
});

describe("a redirect", () => {
  const targets = [
    ["file:", "file:///etc/passwd", "E_REGISTRY_ANSWER"],
    ["link-local", "http://169.254.169.254/latest/meta-data/", "E_REGISTRY_ADDRESS"],
    ["metadata as a number", "http://2852039166/", "E_REGISTRY_ADDRESS"],
    ["metadata in IPv6", "http://[fd00:ec2::254]/", "E_REGISTRY_ADDRESS"],
    ["IPv4 in IPv6", "http://[::ffff:169.254.169.254]/", "E_REGISTRY_ADDRESS"],
    ["loopback", "http://127.0.0.1:1234/", "E_REGISTRY_ADDRESS"],
    ["a private network", "http://10.1.2.3/", "E_REGISTRY_ADDRESS"],
    ["credentials", "http://user:pw@r.example/", "E_REGISTRY_ANSWER"],
    ["SSH", "http://127.0.0.1:22/", "E_REGISTRY_ADDRESS"],
  ] as const;
  test.each(targets)("to %s is refused, for packuments and tarballs", async (_, location, code) => {
    const { url } = await site((_request, response) => response.writeHead(302, { location }).end());
    const client = clientOf(configOf(url));
    expect((await refusal(client.packument(lodash))).code).toBe(code);
    expect((await refusal(client.tarball(`${url}x.tgz`, { name: lodash, label: "lodash@1.0.0" }))).code).toBe(code);
  });

  test("that goes round, or on and on, ends after five", async () => {
    const { url, seen } = await site((_, response, count) => response.writeHead(302, { location: `/hop${count}` }).end());
    expect((await refusal(clientOf(configOf(url)).packument(lodash))).message).toContain("more than 5");
    expect(seen.length).toBe(6);
  });

  test("303 and relative ones are followed", async () => {
    const { url, seen } = await site((_, response, count) =>
      count === 1 ? response.writeHead(303, { location: "../elsewhere" }).end() : response.end(packument("lodash")),
    );
    expect((await clientOf(configOf(url)).packument(lodash)).kind).toBe("ok");
    expect(seen.map(({ path }) => path)).toEqual(["/lodash", "/elsewhere"]);
  });

  test("for a private name does not lead to another origin at all", async () => {
    const elsewhere = await site((_, response) => response.end(packument("@corp/x")));
    const { url } = await site((_, response) => response.writeHead(302, { location: `${elsewhere.url}@corp%2fx` }).end());
    const config = configOf(url, { scopes: ["@corp"], tarballOrigins: [elsewhere.url.origin] });
    expect((await refusal(clientOf(config).packument("@corp/x" as PackageName))).message).toContain("another origin");
    expect(elsewhere.seen).toEqual([]);
  });
});

describe("a name in DNS", () => {
  const withNames = (names: Record<string, string[]>) => {
    const asked: string[] = [];
    const guard = createOutboundGuard({
      resolve: async (host) => {
        asked.push(host);
        return (names[host] ?? []).map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
      },
    });
    return { guard, asked };
  };

  test("is looked up once, and the connection goes to what was found then", async () => {
    const { url, seen } = await site((_, response) => response.end(packument("lodash")));
    // Nothing but the guard knows this name: a second look would find nothing.
    const { guard, asked } = withNames({ "registry.corp.invalid": ["127.0.0.1"] });
    const client = clientOf(configOf(new URL(`http://registry.corp.invalid:${url.port}/`)), { guard });
    expect((await client.packument(lodash)).kind).toBe("ok");
    expect([asked, seen.length]).toEqual([["registry.corp.invalid"], 1]);
  });

  test("that changes between check and connection leads to what was checked", async () => {
    const checked = await site((_, response) => response.end(packument("lodash")), "127.0.0.2");
    const afterwards = await site((_, response) => response.end(packument("lodash")), "127.0.0.1", Number(checked.url.port));
    let looks = 0;
    const guard = createOutboundGuard({
      resolve: async () => [{ address: ++looks === 1 ? "127.0.0.2" : "127.0.0.1", family: 4 }],
    });
    const client = clientOf(configOf(new URL(`http://rebinding.invalid:${checked.url.port}/`)), { guard });
    expect((await client.packument(lodash)).kind).toBe("ok");
    expect([checked.seen.length, afterwards.seen.length]).toEqual([1, 0]);
  });

  test.each([
    ["mixed with a private one", ["8.8.8.8", "10.0.0.1"]],
    ["mixed with loopback", ["8.8.8.8", "::1"]],
    ["mixed with metadata", ["8.8.8.8", "169.254.169.254"]],
    ["NAT64 of a private one", ["64:ff9b::a00:1"]],
  ])("%s is refused where nobody named the origin", async (_, addresses) => {
    const { guard } = withNames({ "cdn.invalid": addresses });
    const { url } = await site((_request, response) => response.writeHead(302, { location: "http://cdn.invalid/x" }).end());
    expect(
      (await refusal(clientOf(configOf(url), { guard }).tarball(`${url}x.tgz`, { name: lodash, label: "lodash@1.0.0" }))).code,
    ).toBe("E_REGISTRY_ADDRESS");
  });

  test("with metadata among its addresses is refused also when an admin named it", async () => {
    const { guard } = withNames({ "r.invalid": ["10.0.0.1", "169.254.169.254"] });
    expect((await refusal(clientOf(configOf(new URL("https://r.invalid/")), { guard }).packument(lodash))).code).toBe(
      "E_REGISTRY_ADDRESS",
    );
  });
});

test("addresses are told apart, in every spelling", () => {
  const kinds = {
    public: ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"],
    private: [
      "127.0.0.1",
      "10.0.0.1",
      "172.16.0.1",
      "192.168.1.1",
      "100.64.0.1",
      "::1",
      "fc00::1",
      "::ffff:10.0.0.1",
      "64:ff9b::7f00:1",
      "2002:a00:1::",
    ],
    never: [
      "169.254.169.254",
      "169.254.0.1",
      "fe80::1",
      "fe80::1%eth0",
      "100.100.100.200",
      "168.63.129.16",
      "fd00:ec2::254",
      "0.0.0.0",
      "::",
      "224.0.0.1",
      "ff02::1",
      "255.255.255.255",
      "::ffff:169.254.169.254",
      "64:ff9b::a9fe:a9fe",
      "::169.254.169.254",
      "nothing",
      "",
    ],
  };
  for (const [kind, addresses] of Object.entries(kinds))
    for (const address of addresses) expect({ address, kind: classifyAddress(address) }).toEqual({ address, kind } as never);
});

test("our own endpoints are refused, by name and by every address of this machine", async () => {
  const guard = createOutboundGuard();
  guard.forbid({ host: "127.0.0.1", port: 7420 });
  guard.forbid({ host: "127.0.0.1", port: 5432 });
  for (const address of [
    "http://localhost:7420/",
    "http://127.0.0.1:5432/",
    "http://[::1]:7420/",
    "http://127.1:7420/",
    "http://127.0.0.2:7420/",
  ]) {
    const url = new URL(address);
    expect(guard.check(url, new Set([url.origin]))).rejects.toThrow("own endpoints");
  }
  expect(await guard.check(new URL("http://127.0.0.1:4873/"), new Set(["http://127.0.0.1:4873"]))).toHaveLength(1);
});

describe("what is read", () => {
  const limits = { bytes: 4 << 20, versions: 1000, versionBytes: 1 << 20 };
  test.each([
    [
      "endless",
      (response: ServerResponse) => {
        const more = () => {
          while (response.write(" ".repeat(65_536)));
        };
        response.writeHead(200).write("{");
        response.on("drain", more);
        more();
      },
      "E_TOO_LARGE",
    ],
    [
      "a gzip bomb",
      (response: ServerResponse) =>
        response
          .writeHead(200, { "content-encoding": "gzip" })
          .end(gzipSync(`{"name":"lodash","readme":"${"a".repeat(64 << 20)}"}`)),
      "E_TOO_LARGE",
    ],
    [
      "too many versions",
      (response: ServerResponse) =>
        response.end(`{"name":"lodash","versions":{${Array.from({ length: 1001 }, (_, i) => `"1.0.${i}":{}`).join()}}}`),
      "E_TOO_LARGE",
    ],
    [
      "nested",
      (response: ServerResponse) =>
        response.end(`{"name":"lodash","versions":{"1.0.0":${'{"a":'.repeat(500_000)}1${"}".repeat(500_000)}}}`),
      "E_REGISTRY_ANSWER",
    ],
    ["versions as an array", (response: ServerResponse) => response.end(`{"name":"lodash","versions":[]}`), "E_REGISTRY_ANSWER"],
    ["another package's", (response: ServerResponse) => response.end(packument("evil")), "E_REGISTRY_ANSWER"],
  ] as const)("%s packument is refused", async (_, answer, code) => {
    const { url } = await site((_request, response) => void answer(response));
    expect((await refusal(clientOf(configOf(url), { limits }).packument(lodash))).code).toBe(code);
  });

  test("numbers as strings count as absent", async () => {
    const document = {
      name: "lodash",
      "dist-tags": { latest: 1 },
      versions: { "1.0.0": { dist: { tarball: "https://x/", unpackedSize: "12", fileCount: "x" } } },
    };
    const { url } = await site((_, response) => response.end(JSON.stringify(document)));
    const answer = await clientOf(configOf(url)).packument(lodash);
    expect(answer).toMatchObject({ kind: "ok", body: { "dist-tags": {} } });
    expect(answer.kind === "ok" && answer.body.versions["1.0.0"]?.dist).toEqual({ tarball: "https://x/" });
  });

  test("a drip that never falls silent ends at the least speed, long before the deadline", async () => {
    const { url } = await site((_, response) => {
      response.writeHead(200).write("{");
      const timer = setInterval(() => response.write(" "), 10);
      response.on("close", () => clearInterval(timer));
    });
    const error = await refusal(clientOf(configOf(url), { minBytesPerSecond: 10_000, speedWindowMs: 300 }).packument(lodash));
    expect([error.code, error.message]).toEqual(["E_REGISTRY_UNREACHABLE", expect.stringContaining("bytes a second")]);
  });

  test("150 MB stops at 128 MiB, and the event loop never for 200 ms", async () => {
    const line = `"x${"y".repeat(1000)}":{"dist":{"tarball":"https://x/"},"readme":"${"z".repeat(60_000)}"},`;
    const { url } = await site((_, response) => {
      response.writeHead(200).write('{"name":"lodash","versions":{');
      let sent = 0;
      const more = () => {
        while (sent < 150e6) {
          sent += line.length;
          if (!response.write(line)) return void response.once("drain", more);
        }
        response.end('"1.0.0":{}}}');
      };
      more();
    });
    let worstMs = 0;
    let last = performance.now();
    let used = process.cpuUsage();
    const timer = setInterval(() => {
      const { user, system } = process.cpuUsage(used);
      // Both sides share this loop, and the machine with others: what counts is what this process did without a break.
      worstMs = Math.max(worstMs, Math.min(performance.now() - last - 5, (user + system) / 1000));
      last = performance.now();
      used = process.cpuUsage();
    }, 5);
    const error = await refusal(clientOf(configOf(url)).packument(lodash));
    clearInterval(timer);
    expect(error.code).toBe("E_TOO_LARGE");
    console.info(`150 MB: the longest stall was ${Math.round(worstMs)} ms`);
    expect(worstMs).toBeLessThan(200);
  }, 60_000);
});

describe("what a user types", () => {
  test.each([
    "a?b#c",
    "..%2f..%2f-/user",
    "@a/../../x",
    "%00",
    "a\r\nHost: evil",
    "a".repeat(10_000),
    "../x",
    "@/x",
    "-/v1/search/..\\x",
  ])("%p is no package name, and is asked for nowhere", (text) => {
    expect(() => parsePackageName(text)).toThrow(LarderError);
    expect(() => encodePackageName(text as PackageName)).toThrow(LarderError);
  });

  test.each(["lodash&size=1e9", "a\r\nx-evil: 1", "😀", "x".repeat(10_240), "?text=&from=1#", "../../-/user"])(
    "search text %p arrives as it is, and is only that",
    async (text) => {
      const { url, seen } = await site((_, response) => response.end('{"objects":[]}'));
      await clientOf(configOf(url)).search(text, { limit: 20 });
      const asked = new URL(seen[0]!.path, url);
      expect([
        asked.pathname,
        asked.searchParams.get("text"),
        asked.searchParams.getAll("size"),
        [...asked.searchParams].length,
      ]).toEqual(["/-/v1/search", text, ["20"], 2]);
    },
  );

  test("patterns of names stand for what they look like", () => {
    expect(
      ["corp-x", "CORP-Y", "corp-", "@s/corp-x", "xcorp-x", "corp"].filter((name) => matchesPattern(name, "corp-*")),
    ).toEqual(["corp-x", "CORP-Y", "corp-"]);
    expect(["a.b", "axb"].filter((name) => matchesPattern(name, "a.b"))).toEqual(["a.b"]);
  });
});

describe("one name, one origin", () => {
  test("an exact name over a pattern, that over a scope, that over the default; no other is ever asked", async () => {
    const sites = await Promise.all(
      [0, 1, 2, 3].map(() => site((request, response) => response.end(packument(decodeURIComponent(request.url!.slice(1)))))),
    );
    const [main, scope, pattern, exact] = sites as [Site, Site, Site, Site];
    const router = createRegistryRouter({
      main: configOf(main.url, { name: "default" }),
      others: [
        configOf(scope.url, { name: "a", scopes: ["@corp"] }),
        configOf(pattern.url, { name: "b", names: ["@corp/x-*", "inner-*"] }),
        configOf(exact.url, { name: "c", names: ["@corp/x-1", "Inner-One"] }),
      ],
    });
    for (const name of ["lodash", "@corp/y", "@CORP/z", "@corp/x-2", "inner-two", "@corp/x-1", "inner-one"])
      await router.packument(name as PackageName).catch(() => {});
    expect(sites.map(({ seen }) => seen.map(({ path }) => decodeURIComponent(path.slice(1))))).toEqual([
      ["lodash"],
      ["@corp/y", "@CORP/z"],
      ["@corp/x-2", "inner-two"],
      ["@corp/x-1", "inner-one"],
    ]);
  });

  test("an ETag of one registry says nothing to another", async () => {
    const tags: (string | undefined)[] = [];
    const { url } = await site((request, response) => {
      tags.push(request.headers["if-none-match"] as string | undefined);
      if (request.headers["if-none-match"]) response.writeHead(304).end();
      else response.writeHead(200, { etag: '"1"' }).end(packument("lodash"));
    });
    const [one, two] = ["one", "two"].map((name) => createRegistryRouter({ main: configOf(url, { name }), others: [] }));
    const first = await one!.packument(lodash);
    const etag = first.kind === "ok" ? first.etag : undefined;
    expect((await one!.packument(lodash, { etag })).kind).toBe("notModified");
    expect((await two!.packument(lodash, { etag })).kind).toBe("ok");
    expect(tags).toEqual([undefined, '"1"', undefined]);
  });
});

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
