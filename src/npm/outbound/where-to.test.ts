import { afterEach, describe, expect, test } from "bun:test";
import type { PackageName } from "../../contract/index.ts";
import { clientOf, closeSites, configOf, lodash, packument, refusal, site } from "../testing/registry-site.ts";
import { classifyAddress } from "./address-class.ts";
import { createOutboundGuard } from "./outbound-guard.ts";

afterEach(closeSites);

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
