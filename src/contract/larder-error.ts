import { type ErrorCode, isErrorCode } from "./error-codes.ts";
import { redact } from "./redact.ts";

/** The wire form of an error, in every API answer and in `--json` output. */
export interface ErrorBody {
  code: string;
  message: string;
  hint?: string | undefined;
  details?: Record<string, unknown> | undefined;
}

export interface LarderErrorOptions {
  /** The way out, one sentence, imperative. */
  hint?: string | undefined;
  /** True when the same call may succeed later with nothing changed by the user. */
  retryable?: boolean | undefined;
  details?: Record<string, unknown> | undefined;
  cause?: unknown;
}

/** An error that a user can reach: it names the thing and the way out. The impossible is a plain `Error`. */
export class LarderError extends Error {
  override readonly name = "LarderError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, options: LarderErrorOptions = {}) {
    super(redact(visibleNul(message)), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint === undefined ? undefined : redact(options.hint);
    this.retryable = options.retryable ?? false;
    this.details = options.details;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: withoutNul(this.details) }),
    };
  }

  static fromBody(body: ErrorBody): LarderError {
    const code = isErrorCode(body.code) ? body.code : "E_INTERNAL";
    return new LarderError(code, body.message, { hint: body.hint, details: body.details });
  }

  /** Any thrown value as a `LarderError`; what is not one already becomes `E_INTERNAL`, or `E_CANCELLED` for an abort. */
  static from(thrown: unknown): LarderError {
    if (thrown instanceof LarderError) return thrown;
    if (thrown instanceof Error && thrown.name === "AbortError") {
      return new LarderError("E_CANCELLED", "Cancelled.", { cause: thrown });
    }
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new LarderError("E_INTERNAL", message, { cause: thrown });
  }
}

export function hasCode(thrown: unknown, ...codes: ErrorCode[]): thrown is LarderError {
  return thrown instanceof LarderError && codes.includes(thrown.code);
}

/** Names from hostile archives may hold NUL, which PostgreSQL stores in no text: it is shown as ␀. */
const visibleNul = (text: string): string => text.replaceAll("\0", "␀");

const withoutNul = (details: Record<string, unknown>): Record<string, unknown> =>
  JSON.parse(JSON.stringify(details).replaceAll("\\u0000", "␀")) as Record<string, unknown>;
