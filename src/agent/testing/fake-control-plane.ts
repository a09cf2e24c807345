import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FixtureGeneration } from "../../../test/harness/fixture-generation.ts";
import {
  type BlobKey,
  type DesiredState,
  diffManifests,
  digestOfBody,
  type EnvironmentName,
  type Event,
  formatEnrolmentToken,
  generateSigningKey,
  type HostReport,
  isProofBy,
  type Manifest,
  manifestDeltaType,
  manifestFromHeader,
  parseHostProof,
  rawRoutes,
  type SignedDesiredState,
  type SigningChain,
  type SigningKey,
  signDesiredState,
} from "../../contract/index.ts";

export const environment = "default" as EnvironmentName;
const storeId = "test-store-1";

/** A control plane of one environment and one host, over real HTTP, with real signatures. */
export interface FakeControlPlane extends AsyncDisposable {
  url: URL;
  token: string;
  key: SigningKey;
  /** What it says of how its keys handed over. */
  chain: SigningChain;
  reports: HostReport[];
  /** `METHOD path status`, in order. */
  requests: string[];
  /** Publishes a generation; `changes` make a document that no honest control plane would sign. */
  publish(generation: FixtureGeneration, number: number, changes?: Partial<DesiredState>): Promise<SignedDesiredState>;
  /** Serves exactly this as the desired state. */
  offer(signed: SignedDesiredState | undefined): void;
  emit(event: Event): void;
  eventClients(): number;
  /** The host's key is worth nothing from now on. */
  revoke(): void;
  /** Looks at a request first; true: it has been answered. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>) | undefined;
  /** Other bytes for a manifest or blob than those published. */
  tamper: ((path: string, bytes: Uint8Array) => Uint8Array) | undefined;
  stop(): Promise<void>;
  start(): Promise<void>;
}

const unauthenticated = { code: "E_UNAUTHENTICATED", message: "This host is not known here." };

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

export async function openFakeControlPlane(): Promise<FakeControlPlane> {
  const key = await generateSigningKey();
  const manifests = new Map<string, Uint8Array>();
  const blobs = new Map<BlobKey, Uint8Array>();
  const streams = new Set<ServerResponse>();
  let hostKey: string | undefined;
  let offered: SignedDesiredState | undefined;
  const server = createServer((request, response) => {
    response.on("close", () => fake.requests.push(`${request.method} ${request.url} ${response.statusCode}`));
    answer(request, response).catch(() => response.destroy());
  });

  const json = (response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (fake.intercept && (await fake.intercept(request, response))) return;
    const path = request.url ?? "";
    const body = await bodyOf(request);
    const identity = { hostId: "host-1", environment, storeId, publicKey: key.publicKey };
    if (path === rawRoutes.join) {
      const { publicKey } = JSON.parse(body) as { publicKey: string };
      // As a control plane does: the token once, and again for the same key.
      const welcome = request.headers.authorization === `Bearer ${fake.token}` && [undefined, publicKey].includes(hostKey);
      if (welcome) hostKey = publicKey;
      json(response, welcome ? 200 : 401, welcome ? identity : unauthenticated);
    } else if (path === rawRoutes.signingChain) {
      json(response, 200, fake.chain);
    } else if (!(await isProven(request, body))) {
      json(response, 401, unauthenticated);
    } else if (path === rawRoutes.self) {
      json(response, 200, identity);
    } else if (path === rawRoutes.desired) {
      sendDesired(request, response);
    } else if (path.startsWith(rawRoutes.manifest(""))) {
      sendManifest(request, response, path.slice(rawRoutes.manifest("").length));
    } else if (path.startsWith(rawRoutes.blob(""))) {
      sendBytes(request, response, blobs.get(path.slice(rawRoutes.blob("").length) as BlobKey));
    } else if (path === rawRoutes.events) {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(": hello\n\n");
      streams.add(response);
      response.on("close", () => streams.delete(response));
    } else if (path === `${rawRoutes.self}/report` && request.method === "PUT") {
      fake.reports.push(JSON.parse(body) as HostReport);
      json(response, 200, {});
    } else {
      json(response, 404, { code: "E_NOT_FOUND", message: "No such thing." });
    }
  }

  async function isProven({ method = "", url: path = "", headers }: IncomingMessage, body: string): Promise<boolean> {
    const proof = parseHostProof(headers.authorization ?? "");
    if (proof === undefined || hostKey === undefined) return false;
    if (proof.request && proof.request.bodyDigest !== (await digestOfBody(new TextEncoder().encode(body)))) return false;
    return (proof.request !== undefined || method === "GET") && (await isProofBy(proof, { method, path }, hostKey));
  }

  function sendDesired(request: IncomingMessage, response: ServerResponse): void {
    if (offered === undefined) return void json(response, 404, { code: "E_NOT_READY", message: "Nothing was installed yet." });
    const etag = `"${offered.desired.generation}-${offered.signature.slice(0, 12)}"`;
    if (request.headers["if-none-match"] === etag) response.writeHead(304, { etag }).end();
    else json(response, 200, offered, { etag });
  }

  function sendManifest(request: IncomingMessage, response: ServerResponse, lockfileHash: string): void {
    const [older, newer] = [manifests.get(String(request.headers[manifestFromHeader])), manifests.get(lockfileHash)];
    if (!(older && newer)) return void sendBytes(request, response, newer);
    const read = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as Manifest;
    response.setHeader("content-type", manifestDeltaType);
    sendBytes(request, response, Buffer.from(JSON.stringify(diffManifests(read(older), read(newer)))));
  }

  function sendBytes(request: IncomingMessage, response: ServerResponse, stored: Uint8Array | undefined): void {
    if (!stored) return void json(response, 404, { code: "E_NOT_FOUND", message: "No such thing." });
    const bytes = fake.tamper?.(request.url ?? "", stored) ?? stored;
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const range = start > 0 ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {};
    response.writeHead(start > 0 ? 206 : 200, { "content-length": bytes.length - start, ...range }).end(bytes.subarray(start));
  }

  const fake: FakeControlPlane = {
    url: new URL("http://127.0.0.1"),
    token: formatEnrolmentToken("s".repeat(43), key.keyId),
    key,
    chain: [],
    reports: [],
    requests: [],
    intercept: undefined,
    tamper: undefined,
    async publish(generation, number, changes = {}) {
      manifests.set(generation.lockfileHash, generation.bytes);
      for (const [blobKey, bytes] of generation.blobs) blobs.set(blobKey, bytes);
      const now = Date.now();
      const desired: DesiredState = {
        format: 1,
        storeId,
        environment,
        generation: number,
        lockfileHash: generation.lockfileHash,
        manifestDigest: generation.manifestDigest,
        issuedAt: new Date(now).toISOString(),
        expiresAt: new Date(now + 86_400_000).toISOString(),
        ...changes,
      };
      offered = await signDesiredState(desired, key);
      return offered;
    },
    offer(signed) {
      offered = signed;
    },
    emit(event) {
      for (const stream of streams) stream.write(`data: ${JSON.stringify(event)}\n\n`);
    },
    revoke() {
      hostKey = undefined;
    },
    eventClients: () => streams.size,
    async start() {
      const port = Number(fake.url.port) || 0;
      await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
      fake.url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    },
    async stop() {
      server.closeAllConnections();
      for (const stream of streams) stream.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
    [Symbol.asyncDispose]: () => fake.stop(),
  };
  await fake.start();
  return fake;
}
