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
      redact: { paths: ["token", "authorization", "*.token", "*.authorization", "password", "*.password"], censor: "***" },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

export const silentLogger: Logger = pino({ level: "silent" });
