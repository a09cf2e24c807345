import { expect } from "bun:test";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LarderError, type PackageName } from "../../contract/index.ts";
import { createRegistryClient, type RegistryClientOptions, type SingleRegistryClient } from "../registry-client.ts";
import type { RegistryConfig } from "../registry-config.ts";

/** What no error may show. */
export const token = "canary-of-the-hostile-registry";
export const lodash = "lodash" as PackageName;

const open: (() => Promise<void>)[] = [];

/** To be called after each test. */
export async function closeSites(): Promise<void> {
  for (const close of open.splice(0)) await close();
}

export interface Site {
  url: URL;
  seen: { path: string; authorization: string | undefined }[];
}

/** An HTTP server on loopback that remembers who came, and with what. */
export async function site(
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

export const packument = (name: string, tarball = "https://registry.npmjs.org/x.tgz") =>
  JSON.stringify({
    name,
    "dist-tags": { latest: "1.0.0" },
    versions: { "1.0.0": { name, version: "1.0.0", dist: { tarball } } },
  });

export function configOf(url: URL, more: Partial<RegistryConfig> = {}): RegistryConfig {
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

export const clientOf = (config: RegistryConfig, options: RegistryClientOptions = {}): SingleRegistryClient =>
  createRegistryClient({ config, attempts: 1, backoffBaseMs: 1, ...options });

export async function refusal(promise: Promise<unknown>): Promise<LarderError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof LarderError)) throw error ?? new Error("It was not refused.");
  expect(JSON.stringify(error.toBody())).not.toContain(token);
  return error;
}

export async function drain(body: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) bytes += chunk.length;
  return bytes;
}
