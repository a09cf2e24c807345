// `npm test [-- SUITE|FILE… [-t PATTERN]]`: every suite in a process of its own, then a table. The last line is `N passed, N failed[, N skipped]`.

import { resolve } from "node:path";
import { runSuite, type SuiteResult } from "./run-suite.ts";
import { findSuites, type Suite } from "./suites.ts";

const root = resolve(import.meta.dir, "..");
const { words, flags } = splitArguments(process.argv.slice(2));
const suites = select(findSuites(root), words);
if (suites.length === 0) {
  console.error(
    `No test matches ${words.join(" ")}. Suites: ${findSuites(root)
      .map(({ name }) => name)
      .join(", ")}.`,
  );
  process.exit(2);
}

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupted.abort());

const results: SuiteResult[] = [];
for (const suite of suites) {
  if (interrupted.signal.aborted) break;
  console.error(`\n── ${suite.name}: ${suite.files.length} file${suite.files.length === 1 ? "" : "s"} ──`);
  results.push(await runSuite(root, suite, { args: flags, signal: interrupted.signal }));
}
summarise(results);

function summarise(results: SuiteResult[]): void {
  const sum = (count: (result: SuiteResult) => number) => results.reduce((total, result) => total + count(result), 0);
  const [passed, failed, skipped] = [sum((r) => r.passed), sum((r) => r.failed.length), sum((r) => r.skipped.length)];
  console.log();
  for (const { name, file } of results.flatMap((result) => result.skipped)) console.log(`skipped  ${file}: ${name}`);
  for (const { name, file } of results.flatMap((result) => result.failed)) console.log(`failed   ${file}: ${name}`);
  const row = (...cells: (string | number)[]) =>
    console.log(cells.map((cell, i) => (i === 0 ? String(cell).padEnd(12) : String(cell).padStart(9))).join(""));
  row("suite", "files", "passed", "failed", "skipped", "seconds");
  for (const { suite, passed, failed, skipped, durationMs } of results) {
    row(suite.name, suite.files.length, passed, failed.length, skipped.length, (durationMs / 1000).toFixed(1));
  }
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  if (failed > 0 || passed === 0 || interrupted.signal.aborted) process.exitCode = 1;
}

/** A word is a suite's name or a part of file paths. */
function select(all: Suite[], words: string[]): Suite[] {
  if (words.length === 0) return all;
  return all
    .map((suite) => ({
      ...suite,
      files: suite.files.filter((file) => words.some((word) => word === suite.name || file.includes(word.replace(/^\.\//, "")))),
    }))
    .filter(({ files }) => files.length > 0);
}

/** Flags go to `bun test`; a flag's value may be the next argument (`-t PATTERN`). */
function splitArguments(args: string[]): { words: string[]; flags: string[] } {
  const words: string[] = [];
  const flags: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (!arg.startsWith("-")) words.push(arg);
    else flags.push(arg, ...(["-t", "--test-name-pattern"].includes(arg) ? args.slice(++i, i + 1) : []));
  }
  return { words, flags };
}
