import { LarderError } from "../contract/for-hosts.ts";

/** What would change which code a child loads, or where it looks for things. Ours to set, never a run's. */
const reserved =
  /^(?:(?:LIBMOUNT|NODE|npm|NPM|BUN|JSC|LD|DYLD|MIMALLOC|MALLOC|GLIBC|BASH_FUNC|V8|UV)_.*|_RLD.*|PATH|HOME|PWD|OLDPWD|SHLVL|PS4|OPTIND|PPID|TMPDIR|TEMP|TMP|BASH_ENV|ENV|SHELLOPTS|BASHOPTS|IFS|CDPATH|GCONV_PATH|LOCPATH|NLSPATH|HOSTALIASES|RES_OPTIONS|SSL_CERT_FILE|SSL_CERT_DIR|OPENSSL_CONF|PERL5LIB|PERL5OPT|PYTHONPATH|PYTHONSTARTUP|PYTHONHOME|RUBYOPT|RUBYLIB|JAVA_TOOL_OPTIONS)$/;
/** Reserved by their prefix, but only settings of the script itself. */
const harmless = new Set(["NODE_ENV", "NODE_DEBUG"]);

/**
 * What every run has: a minimal `PATH`, its own directory as home and scratch, the machine's time zone and language. Nothing else of this process's
 * environment reaches it.
 */
export function cellEnvironment(runDirectory: string): Record<string, string> {
  const { TZ, LANG } = process.env;
  return {
    ...(TZ === undefined ? {} : { TZ }),
    ...(LANG === undefined ? {} : { LANG }),
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: runDirectory,
    TMPDIR: runDirectory,
    // A cache shared between runs could be poisoned by one of them, one of its own costs more than it saves.
    BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
    DO_NOT_TRACK: "1",
  };
}

/** Throws `E_INPUT` for a variable that a loader, shell or runtime obeys. */
export function declaredEnvironment(declared: Record<string, string> = {}): Record<string, string> {
  for (const [name, value] of Object.entries(declared)) assertDeclarable(name, value);
  return declared;
}

function assertDeclarable(name: string, value: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,255}$/.test(name) || typeof value !== "string" || value.includes("\0")) {
    throw new LarderError("E_INPUT", `${JSON.stringify(name.slice(0, 300))} is not an environment variable that can be set.`, {
      hint: "A name is letters, digits and '_', not starting with a digit; a value is a string without NUL.",
    });
  }
  if (reserved.test(name) && !harmless.has(name)) {
    throw new LarderError("E_INPUT", `A run may not set ${name}.`, {
      hint: "It changes what code the run loads, or where it looks for it: choose another name, or pass the value in the context.",
      details: { variable: name },
    });
  }
}
