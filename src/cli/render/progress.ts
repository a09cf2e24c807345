import type { Progress } from "../../contract/index.ts";
import type { Terminal } from "../terminal.ts";
import { formatBytes, formatDuration } from "./quantity.ts";
import { type Style, styleFor } from "./style.ts";
import { pad, plain, truncate } from "./text.ts";

/** A line that lives on standard error while something takes time. */
export interface ProgressLine extends Disposable {
  update(progress: Progress): void;
  /** A line that stays, above the living one. */
  note(text: string): void;
}

const barWidth = 20;
const redrawMs = 80;
/** What is over before it could be read is not shown. */
const quietMs = 300;
const plainEveryMs = 2000;

/**
 * On a terminal: one line, redrawn. Elsewhere: a line of its own whenever the phase changes, and every two seconds if there is news. Disposing clears the living line.
 */
export function openProgressLine(terminal: Terminal): ProgressLine {
  return terminal.errIsTTY && terminal.environment.TERM !== "dumb" ? openBar(terminal) : openPlainLines(terminal);
}

function openBar(terminal: Terminal): ProgressLine {
  const style = styleFor(true, terminal.environment);
  const startedAt = Date.now();
  let latest: Progress | undefined;
  let shown = "";
  const clear = () => {
    if (shown !== "") terminal.err("\r\u001b[2K");
    shown = "";
  };
  const draw = () => {
    if (latest === undefined || Date.now() - startedAt < quietMs) return;
    const line = renderBar(latest, terminal.columns() - 1, style, Date.now() - startedAt);
    if (line === shown) return;
    terminal.err(`\r\u001b[2K${line}`);
    shown = line;
  };
  const timer = setInterval(draw, redrawMs);
  return {
    update(progress) {
      latest = progress;
    },
    note(text) {
      clear();
      terminal.err(`${text}\n`);
      draw();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      clear();
    },
  };
}

function openPlainLines(terminal: Terminal): ProgressLine {
  let phase: string | undefined;
  let written = "";
  let writtenAt = 0;
  return {
    update(progress) {
      const due = progress.phase !== phase || Date.now() - writtenAt >= plainEveryMs;
      if (!due) return;
      const line = describeProgress(progress);
      if (line === written) return;
      phase = progress.phase;
      written = line;
      writtenAt = Date.now();
      terminal.err(`${line}\n`);
    },
    note: (text) => terminal.err(`${text}\n`),
    [Symbol.dispose]() {},
  };
}

/** `fetch   ████████░░░░ 34/387  12.3 MB  lodash@4.17.21`, in at most `width` columns. */
export function renderBar(progress: Progress, width: number, style: Style, elapsedMs: number): string {
  const phase = pad(plain(progress.phase), 9);
  const bar = progress.total === undefined ? sweep(elapsedMs) : fill(progress.done / Math.max(1, progress.total));
  const amounts = [amount(progress), ...byteAmounts(progress), formatDuration(elapsedMs)];
  const head = `${phase} ${bar} `;
  const tail = truncate(
    [...amounts, plain(progress.subject ?? "")].filter(Boolean).join("  "),
    Math.max(0, width - Bun.stringWidth(head)),
  );
  if (width < head.length) return truncate(`${phase}${tail}`, width);
  return `${style.bold(phase)} ${style.cyan(bar)} ${tail}`;
}

/** The same as words, for logs: `fetch 34/387 · 12.3 MB · lodash@4.17.21`. */
export function describeProgress(progress: Progress): string {
  const head = [plain(progress.phase), amount(progress)].filter(Boolean).join(" ");
  return [head, ...byteAmounts(progress), plain(progress.subject ?? "")].filter(Boolean).join(" · ");
}

/** `12.3 MB of 40 MB`, `5.1 MB/s`, `6 s left`, as far as they are known. */
function byteAmounts({ doneBytes, totalBytes, bytesPerSecond }: Progress): string[] {
  if (doneBytes === undefined) return [];
  if (totalBytes === undefined) return [formatBytes(doneBytes)];
  const amounts = [`${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`];
  if (!bytesPerSecond) return amounts;
  return [
    ...amounts,
    `${formatBytes(bytesPerSecond)}/s`,
    `${formatDuration(((totalBytes - doneBytes) / bytesPerSecond) * 1000)} left`,
  ];
}

function amount({ done, total }: Progress): string {
  if (total !== undefined) return `${done}/${total}`;
  return done > 0 ? String(done) : "";
}

function fill(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
  return "█".repeat(full) + "░".repeat(barWidth - full);
}

/** A block that goes to and fro: something happens, nobody knows how much is left. */
function sweep(elapsedMs: number): string {
  const block = 4;
  const span = barWidth - block;
  const step = Math.floor(elapsedMs / redrawMs) % (2 * span);
  const at = step < span ? step : 2 * span - step;
  return "░".repeat(at) + "█".repeat(block) + "░".repeat(span - at);
}
