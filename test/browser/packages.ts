import type { FixturePackage } from "../harness/fixture-package.ts";

const typed = (
  name: string,
  version: string,
  declaration: string,
  code: string,
  extra: Partial<FixturePackage> = {},
): FixturePackage => ({
  name,
  version,
  packageJson: { types: "index.d.ts", license: "MIT", description: `The ${name} of tests` },
  files: { "index.d.ts": declaration, "index.js": code },
  ...extra,
});

const clock = (version: string): FixturePackage =>
  typed(
    "tiny-clock",
    version,
    "export interface Moment { toIsoDate(): string; addDays(days: number): Moment; readonly yearNumber: number }\nexport declare function moment(at?: string): Moment;\n",
    `const wrap = (date) => ({ toIsoDate: () => date.toISOString().slice(0, 10), addDays: (days) => wrap(new Date(date.getTime() + days * 86400000)), yearNumber: date.getUTCFullYear() });\nexports.moment = (at = "2026-01-31") => wrap(new Date(at));\nexports.version = ${JSON.stringify(version)};\n`,
    { dependencies: { "tiny-core": "^1.0.0" } },
  );

const plain = (name: string, version: string, extra: Partial<FixturePackage> = {}): FixturePackage =>
  typed(name, version, `export declare const version: string;\n`, `exports.version = ${JSON.stringify(version)};\n`, extra);

/** What the console is shown with: names as people meet them, among them one that is too long for every column. */
export const consolePackages: FixturePackage[] = [
  clock("1.0.0"),
  clock("1.1.0"),
  clock("2.0.0"),
  plain("tiny-core", "1.0.0"),
  plain("tiny-core", "1.2.0"),
  plain("@acme/http-client", "3.4.1", { dependencies: { "tiny-core": "^1.0.0" } }),
  plain("@acme/internal-observability-instrumentation-for-very-long-lived-workers", "10.20.30-rc.11"),
  plain("csv-lines", "0.9.2"),
  plain("markdown-table-of-contents", "4.0.0"),
  plain("retry-politely", "2.2.2", { deprecated: "Use retry-kindly instead" }),
  plain("schema-check", "5.1.0"),
  plain("uuid-words", "1.0.3"),
];
