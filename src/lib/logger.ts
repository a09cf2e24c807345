import { createRequire } from "node:module";
import type pinoModule from "pino";

/** Structured logs: `logger.info({ generation: 3 }, "flipped")`. */
export interface Logger {
  debug: Say;
  info: Say;
  warn: Say;
  error: Say;
  /** The same, with these facts in each line. */
  child(bindings: Record<string, unknown>): Logger;
}
interface Say {
  (facts: object, message?: string): void;
  (message: string): void;
}
const severities = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof severities)[number] | "silent";

/** JSON lines on standard error, so that standard output stays free for answers. Credentials that reach a log by name are cut. */
export function createLogger(level: LogLevel, bindings: Record<string, unknown> = {}): Logger {
  return onDemand(level, () => openPino(level, bindings));
}

export const silentLogger: Logger = createLogger("silent");

/** pino takes 20 ms to load, and most commands have nothing to log. */
function onDemand(level: LogLevel, open: () => Logger): Logger {
  let opened: Logger | undefined;
  const logger = () => {
    opened ??= open();
    return opened;
  };
  const silent: string[] = level === "silent" ? [...severities] : severities.slice(0, severities.indexOf(level));
  const say = (severity: (typeof severities)[number]): Say =>
    silent.includes(severity)
      ? () => undefined
      : (...said: unknown[]) => (logger()[severity] as (...said: unknown[]) => void)(...said);
  return {
    debug: say("debug"),
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    child: (bindings) => onDemand(level, () => logger().child(bindings)),
  };
}

const load = createRequire(import.meta.url);

function openPino(level: LogLevel, bindings: Record<string, unknown>): Logger {
  const pino = load("pino") as typeof pinoModule;
  const { stdSerializers, stdTimeFunctions } = pino;
  return pino(
    {
      level,
      base: bindings,
      timestamp: stdTimeFunctions.isoTime,
      serializers: {
        err: (error: unknown) => (level === "debug" ? undefined : told(error)) ?? stdSerializers.err(error as Error),
      },
      redact: { paths: ["token", "authorization", "*.token", "*.authorization", "password", "*.password"], censor: "***" },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** What was foreseen says all in its words, and where it was made helps nobody; the stack of anything else does. */
function told(error: unknown): object | undefined {
  if (!(error instanceof Error) || error.name !== "LarderError") return undefined;
  const { message, code, hint, cause } = error as Error & { code?: string; hint?: string };
  if (code === "E_INTERNAL") return undefined;
  return { message, code, ...(hint ? { hint } : {}), ...(cause instanceof Error ? { cause: cause.message } : {}) };
}
