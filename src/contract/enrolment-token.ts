import { LarderError } from "./larder-error.ts";

// `ldr_enrol_<secret>.<keyId>.<checksum>`. The secret is 32 random bytes in base64url; the key id is of the key that the control plane signs with, so that a host
// trusts the right one from its first request; the checksum, CRC-32 of all before it in hex, finds every single wrong character. Servers keep a hash of the text only.

const form = /^(ldr_enrol_[A-Za-z0-9_-]{43}\.([0-9a-f]{32})\.)([0-9a-f]{8})$/;

export const formatEnrolmentToken = (secret: string, keyId: string): string => {
  const text = `ldr_enrol_${secret}.${keyId}.`;
  return text + checksum(text);
};

/** Whether somebody meant an enrolment token, well written or not. */
export const isLikeEnrolmentToken = (text: string): boolean => text.startsWith("ldr_enrol_");

/** Throws `E_TOKEN_MISTYPED` for what cannot be one: nobody has to be asked for that. */
export function parseEnrolmentToken(text: string): { keyId: string } {
  const [, body, keyId, check] = form.exec(text) ?? [];
  if (body !== undefined && keyId !== undefined && check === checksum(body)) return { keyId };
  throw new LarderError("E_TOKEN_MISTYPED", "This is not an enrolment token: a part is missing, or a character is wrong.", {
    hint: "Copy the whole text that `larder hosts enrol` printed; it starts with ldr_enrol_.",
  });
}

function checksum(text: string): string {
  let crc = ~0;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (~crc >>> 0).toString(16).padStart(8, "0");
}
