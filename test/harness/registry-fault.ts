import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

export interface RegistryRequest {
  /** 1 for the first since the registry started. */
  number: number;
  method: string;
  /** As it came, still encoded. */
  path: string;
  headers: IncomingHttpHeaders;
  kind: "packument" | "tarball" | "other";
  /** The package that it is about, when there is one. */
  name: string | undefined;
}

/** What to do instead of, or with, the honest answer. */
export type RegistryFault =
  | { kind: "status"; status: number; body?: string; headers?: Record<string, string> }
  /** The connection is cut without an answer. */
  | { kind: "reset" }
  /** No answer, ever; the connection stays open. */
  | { kind: "hang" }
  /** The honest headers with the full length, then part of the body, then a cut. */
  | { kind: "truncate"; afterBytes?: number }
  /** The honest length, one byte in the middle changed. */
  | { kind: "wrongBytes" }
  | { kind: "drip"; chunkBytes: number; everyMs: number }
  /** `Content-Encoding: gzip`, small on the wire and this many bytes of spaces when unpacked. */
  | { kind: "gzipBomb"; unpackedBytes: number }
  | { kind: "body"; body: string | Uint8Array; headers?: Record<string, string> };

export interface HonestAnswer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

export function answerHonestly(response: ServerResponse, { status, headers, body }: HonestAnswer): void {
  response.writeHead(status, { ...headers, ...(status !== 304 && { "content-length": String(body.length) }) });
  response.end(status === 304 ? undefined : body);
}

export function answerFaultily(response: ServerResponse, fault: RegistryFault, honest: HonestAnswer): void {
  if (fault.kind === "reset") response.socket?.resetAndDestroy();
  else if (fault.kind === "hang") return;
  else if (fault.kind === "truncate") truncate(response, fault.afterBytes ?? Math.floor(honest.body.length / 2), honest);
  else if (fault.kind === "drip") drip(response, fault, honest);
  else answerHonestly(response, changed(honest, fault));
}

type OtherAnswer = Extract<RegistryFault, { kind: "status" | "wrongBytes" | "gzipBomb" | "body" }>;

function changed(honest: HonestAnswer, fault: OtherAnswer): HonestAnswer {
  switch (fault.kind) {
    case "status":
      return {
        status: fault.status,
        headers: { "content-type": "application/json", ...fault.headers },
        body: Buffer.from(fault.body ?? JSON.stringify({ error: `fault: ${fault.status}` })),
      };
    case "wrongBytes":
      return { ...honest, body: honest.body.map((byte, i) => (i === honest.body.length >> 1 ? byte ^ 0xff : byte)) };
    case "gzipBomb": {
      const body = gzipSync(Buffer.alloc(fault.unpackedBytes, " "));
      return { status: 200, headers: { ...honest.headers, "content-encoding": "gzip" }, body };
    }
    case "body":
      return { status: 200, headers: { ...honest.headers, ...fault.headers }, body: Buffer.from(fault.body) };
  }
}

function truncate(response: ServerResponse, afterBytes: number, honest: HonestAnswer): void {
  response.writeHead(honest.status, { ...honest.headers, "content-length": String(honest.body.length) });
  response.write(honest.body.subarray(0, afterBytes), () => setTimeout(() => response.socket?.destroy(), 10));
}

function drip(
  response: ServerResponse,
  { chunkBytes, everyMs }: { chunkBytes: number; everyMs: number },
  honest: HonestAnswer,
): void {
  response.writeHead(honest.status, { ...honest.headers, "content-length": String(honest.body.length) });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(honest.body.subarray(sent, sent + chunkBytes));
    sent += chunkBytes;
    if (sent >= honest.body.length) {
      clearInterval(timer);
      response.end();
    }
  }, everyMs);
  response.once("close", () => clearInterval(timer));
}
