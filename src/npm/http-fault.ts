import { AddressRefused } from "./outbound/outbound-guard.ts";

class Fault extends Error {
  /** The way out, where it is another than for most of its kind. */
  readonly hint: string | undefined;
  constructor(message?: string, { hint, ...options }: ErrorOptions & { hint?: string | undefined } = {}) {
    super(message, options);
    this.hint = hint;
  }
}

/** The other side could not be reached, or fell silent or broke off before its answer was complete. Trying again may help. */
export class ConnectionFault extends Fault {}
/** The answer is one that no retry will mend: a redirect that must not be followed, a body that is not what its headers say. */
export class AnswerFault extends Fault {}
/** The certificate is not one that is trusted for this name. */
export class CertificateFault extends AnswerFault {}

const certificateCode = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ERR_TLS|HOSTNAME_MISMATCH/;

export function asFault(error: unknown): Error {
  if (error instanceof ConnectionFault || error instanceof AnswerFault || error instanceof AddressRefused) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith("Z_") && code !== "Z_BUF_ERROR") return new AnswerFault("its gzip encoding is broken", { cause: error });
  if (code !== undefined && certificateCode.test(code))
    return new CertificateFault(`its certificate is not trusted (${code})`, { hint: certificateHint(code), cause: error });
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER")
    return new ConnectionFault(`it does not speak TLS there (${code})`, {
      hint: "Check the port, and whether the address begins with https:// or http://.",
      cause: error,
    });
  return new ConnectionFault(code ?? message, { cause: error });
}

function certificateHint(code: string): string | undefined {
  if (/ALTNAME|HOSTNAME/.test(code))
    return "The certificate is for another name: give the registry's address by a name that it has.";
  if (/EXPIRED|NOT_YET_VALID/.test(code))
    return "The certificate is out of date: have it renewed, and check this machine's clock.";
  return undefined;
}
