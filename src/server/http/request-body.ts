import { createHash } from "node:crypto";
import { LarderError } from "../../contract/index.ts";

const bodyLimitBytes = 1 << 20;
/** Where more may be sent: by hosts, what scripts have printed and returned. */
const largerBodies: Record<string, number> = { "hosts.finishRun": 8 << 20 };
export const largestBodyBytes = Math.max(bodyLimitBytes, ...Object.values(largerBodies));

/** The same request with its body read and seen to be JSON; `HEAD` as the `GET` it stands for. Throws `E_TOO_LARGE`, `E_INPUT`. */
export async function withJsonBody(request: Request, routeName = ""): Promise<Request> {
  const { url, headers, signal } = request;
  const method = request.method === "HEAD" ? "GET" : request.method;
  const body = method === "GET" ? undefined : await readBounded(request, largerBodies[routeName] ?? bodyLimitBytes);
  if (body === undefined || body.byteLength === 0) return new Request(url, { method, headers, signal });
  assertJson(body);
  return new Request(url, { method, headers, signal, body });
}

/** The same request, its body seen to be the one whose SHA-256 was signed. Throws `E_UNAUTHENTICATED`, `E_TOO_LARGE`. */
export async function withProvenBody(
  request: Request,
  { routeName, digest }: { routeName: string; digest: string },
): Promise<Request> {
  const { url, method, headers, signal } = request;
  const isReading = method === "GET" || method === "HEAD";
  const body = isReading ? undefined : await readBounded(request, largerBodies[routeName] ?? bodyLimitBytes);
  // At once: to wait for another thread takes ten times as long.
  if (
    createHash("sha256")
      .update(body ?? "")
      .digest("hex") !== digest
  ) {
    throw new LarderError("E_UNAUTHENTICATED", "The body is not the one that the host signed.");
  }
  return body === undefined || body.byteLength === 0 ? request : new Request(url, { method, headers, signal, body });
}

async function readBounded(request: Request, limitBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (request.body === null) return undefined;
  const declared = request.headers.get("content-length");
  if (Number(declared) > limitBytes) throw tooLarge(limitBytes);
  // A body has the length that it declares, or the connection ends.
  if (declared !== null && !request.headers.has("transfer-encoding")) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function assertJson(body: Uint8Array): void {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  } catch {
    // Not UTF-8 or not JSON: said below, without the parser's quote of what was sent.
  }
  throw new LarderError("E_INPUT", "The body is not one JSON object.", { hint: "Send {…} with content-type application/json." });
}

const tooLarge = (limitBytes: number): LarderError =>
  new LarderError("E_TOO_LARGE", `A request's body may have at most ${limitBytes} bytes.`, {
    details: { limit: limitBytes },
  });
