import { AddressRefused } from "./outbound/outbound-guard.ts";

/** The other side could not be reached, or fell silent or broke off before its answer was complete. Trying again may help. */
export class ConnectionFault extends Error {}
/** The answer is one that no retry will mend: a redirect that must not be followed, a body that is not what its headers say. */
export class AnswerFault extends Error {}
/** The certificate is not one that is trusted for this name. */
export class CertificateFault extends AnswerFault {}

const certificateCode = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ERR_TLS|HOSTNAME_MISMATCH/;

export function asFault(error: unknown): Error {
  if (error instanceof ConnectionFault || error instanceof AnswerFault || error instanceof AddressRefused) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith("Z_") && code !== "Z_BUF_ERROR") return new AnswerFault("its gzip encoding is broken", { cause: error });
  if (code !== undefined && certificateCode.test(code))
    return new CertificateFault(`its certificate is not trusted (${code})`, { cause: error });
  return new ConnectionFault(code ?? message, { cause: error });
}
