const patterns: [RegExp, string][] = [
  [/\b(https?:\/\/)[^\s/@]+@/gi, "$1***@"],
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, "$1 ***"],
  [/\b(larderhost)\s+[A-Za-z0-9._-]{6,}/gi, "$1 ***"],
  [/\bldr_[a-z]+_[A-Za-z0-9_.-]{6,}/g, "ldr_***"],
  [/\bnpm_[A-Za-z0-9]{20,}/g, "npm_***"],
];

/** `text` with credentials of the known forms replaced by `***`. Applied when an error is made, so that none can leak later. */
export function redact(text: string): string {
  return patterns.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}
