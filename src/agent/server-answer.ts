import { errorBodySchema, isErrorCode, LarderError } from "../contract/for-hosts.ts";

const maxErrorBytes = 64 * 1024;
const maxDocumentBytes = 64 * 1024;

/** What a refusing answer says, as an error of ours. `subject`: what was asked for, in words. */
export async function refusal(response: Response, subject: string): Promise<LarderError> {
  const { status } = response;
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"));
  const details = { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  const body = await readErrorBody(response);
  const said = body === undefined ? `HTTP ${status}` : body.message;
  if (status === 401 && body?.code === "E_CLOCK_SKEW") {
    return new LarderError("E_CLOCK_SKEW", body.message, { hint: body.hint, details: { ...body.details, ...details } });
  }
  if (status === 401) {
    return new LarderError("E_UNAUTHENTICATED", `The control plane refuses this host: ${said}`, {
      hint: "Make a new token with larder hosts enrol, and start the agent with it on this data directory.",
      details: { ...body?.details, ...details },
    });
  }
  if (status === 403) {
    return new LarderError("E_FORBIDDEN", `This host may not have ${subject}: ${said}`, {
      hint: "Check that control plane and host are of one version.",
      details,
    });
  }
  if (status >= 300 && status < 400) {
    return new LarderError("E_CONFIG", "The server's address answers with a redirect, which is not followed.", {
      hint: "Give the address that it leads to.",
      details,
    });
  }
  const retryable = status === 429 || status >= 500;
  if (body && isErrorCode(body.code)) {
    return new LarderError(body.code, body.message, { hint: body.hint, retryable, details: { ...body.details, ...details } });
  }
  return new LarderError("E_SERVER_UNREACHABLE", `The control plane answered ${said} when asked for ${subject}.`, {
    hint: "Check that the server's address is a Larder control plane, and its log.",
    retryable,
    details,
  });
}

/** The whole body, or `E_TOO_LARGE` as soon as it exceeds `limitBytes`. */
export async function readCapped(response: Response, limitBytes: number, subject: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of response.body ?? []) {
    total += chunk.length;
    if (total > limitBytes) throw tooLarge(subject, limitBytes);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

export const tooLarge = (subject: string, limitBytes: number): LarderError =>
  new LarderError("E_TOO_LARGE", `The control plane's answer for ${subject} is larger than ${limitBytes} bytes.`, {
    hint: "Check that the server's address is a Larder control plane.",
  });

export const unreachable = (server: URL, cause: unknown): LarderError =>
  new LarderError("E_SERVER_UNREACHABLE", `The control plane ${server.origin} cannot be reached: ${reasonOf(cause)}`, {
    hint: "Check its address and that it runs; this host goes on with what it has.",
    retryable: true,
    cause,
  });

/** Fetch hides what happened one level down. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "TimeoutError") return "it does not answer in time";
  const inner = cause.cause instanceof Error ? cause.cause : undefined;
  return inner?.message || cause.message;
}

async function readErrorBody(response: Response) {
  try {
    const bytes = await readCapped(response, maxErrorBytes, "an error");
    return errorBodySchema.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    // Not an answer of ours; the status says enough.
    await response.body?.cancel().catch(() => undefined);
    return undefined;
  }
}

/** Seconds or a date; at most ten minutes, so that a wrong header does not silence a host for long. */
export function parseRetryAfter(value: string | null, nowMs = Date.now()): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 600_000) : undefined;
}

/** At most 64 KiB; `undefined` for what is no JSON: the caller's schema refuses it. */
export async function readJson(response: Response, subject: string): Promise<unknown> {
  return jsonOf(new TextDecoder().decode(await readCapped(response, maxDocumentBytes, subject)));
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said above.
    return undefined;
  }
}

export const misunderstood = (subject: string): LarderError =>
  new LarderError("E_SERVER_UNREACHABLE", `The server's answer for ${subject} is not what a Larder control plane says.`, {
    hint: "Check the server's address, and that host and control plane are of one version.",
    retryable: true,
  });
