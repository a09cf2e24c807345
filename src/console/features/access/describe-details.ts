/** `role: admin; packages: zod 4.1.12, dayjs 1.11.13`: what a record holds, in one line that a person can read. */
export const describeDetails = (details: Record<string, unknown>): string =>
  Object.entries(details)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}: ${words(value)}`)
    .join("; ");

function words(value: unknown): string {
  if (Array.isArray(value)) return value.map(words).join(", ") || "none";
  if (typeof value !== "object" || value === null) return String(value);
  if ("name" in value && "version" in value) {
    const before = "previousVersion" in value && value.previousVersion ? ` (was ${value.previousVersion})` : "";
    return `${value.name} ${value.version}${before}`;
  }
  return Object.entries(value)
    .map(([name, inner]) => `${name} ${words(inner)}`)
    .join(" ");
}
