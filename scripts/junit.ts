/** One test of a `bun test --reporter=junit` report. */
export interface TestOutcome {
  file: string;
  /** With the names of the groups around it. */
  name: string;
  outcome: "passed" | "failed" | "skipped";
}

/** Reads what Bun's reporter writes; not XML in general. A file that could not be loaded is missing from it: compare with the files asked for. */
export function parseJunit(report: string): TestOutcome[] {
  const outcomes: TestOutcome[] = [];
  for (const [, attributes = "", selfClosed, body = ""] of report.matchAll(
    /<testcase\b((?:\s+[\w-]+="[^"]*")*)\s*(?:(\/)>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const value = (name: string) => unescapeXml(new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
    const group = value("classname");
    outcomes.push({
      file: value("file"),
      name: group === "" ? value("name") : `${group} > ${value("name")}`,
      outcome: selfClosed
        ? "passed"
        : /<(failure|error)\b/.test(body)
          ? "failed"
          : /<skipped\b/.test(body)
            ? "skipped"
            : "passed",
    });
  }
  return outcomes;
}

const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    return entities[name] ?? whole;
  });
}
