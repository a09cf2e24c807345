import pino from "pino";

/** Structured logs: `logger.info({ generation: 3 }, "flipped")`. */
export type Logger = pino.Logger;
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** JSON lines on standard error, so that standard output stays free for answers. Credentials that reach a log by name are cut. */
export function createLogger(level: LogLevel, bindings: Record<string, unknown> = {}): Logger {
  return pino(
    {
      level,
      base: bindings,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: unknown) => (level === "debug" ? pino.stdSerializers.err(error as Error) : told(error)) },
      redact: { paths: ["token", "authorization", "*.token", "*.authorization", "password", "*.password"], censor: "***" },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** What was foreseen says all in its words, and where it was made helps nobody; the stack of anything else does. */
function told(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "LarderError") return pino.stdSerializers.err(error as Error);
  const { message, code, hint, cause } = error as Error & { code?: string; hint?: string };
  if (code === "E_INTERNAL") return pino.stdSerializers.err(error);
  return { message, code, ...(hint ? { hint } : {}), ...(cause instanceof Error ? { cause: cause.message } : {}) };
}

export const silentLogger: Logger = pino({ level: "silent" });
