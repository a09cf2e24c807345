import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LarderError } from "../../contract/index.ts";
import type { Page } from "../command.ts";
import { host } from "../testing/fake-answers.ts";
import { renderError } from "./error.ts";
import { renderHosts } from "./hosts.ts";
import { renderPlan } from "./plan.ts";
import { describeProgress, renderBar } from "./progress.ts";
import { formatAgo, formatBytes, formatDuration } from "./quantity.ts";
import { styleFor } from "./style.ts";
import { renderTable } from "./table.ts";
import { plain, truncate, wrap } from "./text.ts";

const colourless = styleFor(false, {});
const page = (columns: number): Page => ({ columns, style: colourless });
const widest = (text: string) => Math.max(...text.split("\n").map((line) => Bun.stringWidth(line)));

describe("tables", () => {
  const columns = [{ title: "name", shrinkTo: 8 }, { title: "size", align: "right" as const }, { title: "note" }];

  test("columns are aligned, numbers to the right", () => {
    const rows = [
      ["dayjs", 7, "a"],
      ["@scope/longer", 1234, ""],
    ];
    expect(renderTable(columns, rows, page(80)).split("\n")).toEqual([
      "NAME           SIZE  NOTE",
      "dayjs             7  a",
      "@scope/longer  1234",
    ]);
  });

  test("what may shrink is cut with …, and only as far as it may", () => {
    const rows = [["a-very-long-package-name-indeed", 1, "kept whole"]];
    expect(renderTable(columns, rows, page(30)).split("\n")[1]).toBe("a-very-long…     1  kept whole");
    expect(renderTable(columns, rows, page(10)).split("\n")[1]).toBe("a-very-…     1  kept whole");
  });

  test("wide characters take the columns that a terminal gives them", () => {
    const [, first, second] = renderTable(
      columns,
      [
        ["日本", 1, "x"],
        ["ab", 1, "x"],
      ],
      page(80),
    ).split("\n") as [string, string, string];
    expect(Bun.stringWidth(first)).toBe(Bun.stringWidth(second));
  });

  test("a cell cannot move the cursor, or break out of its line", () => {
    const rendered = renderTable(columns, [["\u001b[2Jevil\nname\r\u202e", 1, "\u0007"]], page(80));
    expect(rendered.split("\n")).toHaveLength(2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looks for them
    expect(rendered).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  test("colour does not count as width", () => {
    const coloured = { columns: 80, style: styleFor(true, {}) };
    const [, line] = renderTable(columns, [[{ text: "x", paint: "green" }, 1, "y"]], coloured).split("\n");
    expect(line).toContain("\u001b[32m");
    expect(Bun.stripANSI(line!)).toBe("x        1  y");
  });
});

describe("progress", () => {
  const progress = { phase: "fetch", done: 34, total: 387, doneBytes: 12_300_000, subject: "lodash@4.17.21" };

  test("a bar says phase, share, count, bytes, time and subject", () => {
    expect(renderBar(progress, 80, colourless, 1500)).toBe(
      "fetch     ██░░░░░░░░░░░░░░░░░░ 34/387  12.3 MB  1.5 s  lodash@4.17.21",
    );
  });

  test("an unknown total is a block that moves", () => {
    const frames = new Set([0, 400, 800].map((ms) => renderBar({ phase: "resolve", done: 0 }, 80, colourless, ms).slice(0, 30)));
    expect(frames.size).toBe(3);
  });

  test("no bar is wider than the terminal, whatever is in it", () => {
    const anything = fc.record({
      phase: fc.string(),
      done: fc.nat(),
      total: fc.option(fc.nat(), { nil: undefined }),
      subject: fc.string({ unit: "grapheme" }),
    });
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 120 }), ({ total, ...rest }, width) => {
        const line = renderBar(total === undefined ? rest : { ...rest, total }, width, colourless, 1000);
        return Bun.stringWidth(line) <= width && !line.includes("\n");
      }),
    );
  });

  test("without a terminal it is words", () => {
    expect(describeProgress(progress)).toBe("fetch 34/387 · 12.3 MB · lodash@4.17.21");
    expect(describeProgress({ phase: "queued", done: 0 })).toBe("queued");
  });
});

test("what a registry says of a package cannot colour a plan, or break out of its line", () => {
  const finding = { name: "a", version: "1.0.0", rule: "deprecated", message: "a is \u001b[31mold\n\u202e" };
  const plan = { refusals: [finding], flags: [finding], heldBack: [{ name: "a", chosen: "0.9.0", finding }] };
  const rendered = renderPlan(
    { ok: false, choices: [], caps: [], addedDependencies: [], waived: [], ...plan } as never,
    page(80),
  );
  expect(rendered.match(/a is old *$/gm)).toHaveLength(3);
  for (const control of ["\u001b", "\u202e"]) expect(rendered).not.toContain(control);
});

describe("errors", () => {
  const error = new LarderError("E_NAME", "Bad\u001b[31m name.", { hint: "Mend it." });

  test("code and message first, then the way out", () => {
    expect(renderError(error, colourless)).toBe("error E_NAME: Bad name.\nhint: Mend it.");
  });

  test("colour is for terminals that want it", () => {
    expect(renderError(error, styleFor(true, {}))).toContain("\u001b[31m");
    for (const environment of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
      expect(renderError(error, styleFor(true, environment))).not.toContain("\u001b");
    }
  });
});

test("hosts that lag, fail or are under way say so", () => {
  const hosts = [
    host("a"),
    host("b", { generation: 1, phase: "syncing", progress: { phase: "pull", done: 1, total: 4 } }),
    host("c", { generation: 0, phase: "error", error: { code: "E_NO_SPACE", message: "The disk is full." } }),
  ];
  const lines = renderHosts(hosts, page(100)).split("\n");
  expect(lines[0]).toMatch(/^HOST {2}STATE +GEN {2}LAG {2}SINCE +RUNS {2}SEEN/);
  expect(lines[2]).toMatch(/^b {5}syncing +1 +1 /);
  expect(lines[3]).toMatch(/^c {5}failing +– +2 /);
  expect(lines).toContain("b: pull 1/4");
  expect(lines).toContain("c: E_NO_SPACE: The disk is full.");
});

describe("quantities", () => {
  test("bytes are decimal", () => {
    expect([0, 999, 1000, 1234, 99_949, 999_499, 999_500, 440_000_000, 1.5e12].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "1.2 kB",
      "99.9 kB",
      "999 kB",
      "1.0 MB",
      "440 MB",
      "1.5 TB",
    ]);
  });

  test("durations have at most two units", () => {
    expect([0.4, 12, 999.6, 1234, 9949, 42_000, 59_600, 125_000, 3_600_000, 10_920_000, 200_000_000].map(formatDuration)).toEqual(
      ["0 ms", "12 ms", "1.0 s", "1.2 s", "9.9 s", "42 s", "1 min", "2 min 5 s", "1 h", "3 h 2 min", "2 d 7 h"],
    );
  });

  test("times are relative until they are old", () => {
    const at = (seconds: number) => formatAgo(new Date(1e12 - seconds * 1000).toISOString(), 1e12);
    expect([0, 5, 200, 7200, 4 * 86_400, 40 * 86_400].map(at)).toEqual([
      "just now",
      "5 s ago",
      "3 min ago",
      "2 h ago",
      "4 d ago",
      "2001-07-31",
    ]);
    expect(formatAgo(undefined)).toBe("never");
  });
});

describe("text", () => {
  test("truncation keeps to the width for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }).map(plain), fc.integer({ min: 0, max: 40 }), (text, width) => {
        return Bun.stringWidth(truncate(text, width)) <= width;
      }),
    );
  });

  test("wrapping breaks at spaces", () => {
    expect(wrap("one two three", 8, "  ")).toBe("one two\n  three");
    expect(widest(wrap("a b c d e f g h", 5))).toBeLessThanOrEqual(5);
  });
});
