import { afterEach, describe, expect, test } from "bun:test";
import { LarderError, type PackageName } from "../contract/index.ts";
import { isBelow } from "./registry-config.ts";
import { createRegistryRouter } from "./registry-router.ts";
import {
  clientOf,
  closeSites,
  configOf,
  drain,
  lodash,
  packument,
  refusal,
  type Site,
  site,
  token,
} from "./testing/registry-site.ts";

afterEach(closeSites);

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
