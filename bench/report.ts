import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatSummary, summarise } from "./statistics.ts";

export const say = (text: string): boolean => process.stderr.write(`${text}\n`);

export function readOptions(defaultRounds: number): { rounds: number; json: boolean } {
  const options = process.argv.slice(2);
  const at = options.indexOf("--rounds");
  return { rounds: (at >= 0 && Number(options[at + 1])) || defaultRounds, json: options.includes("--json") };
}

export interface Scratch extends AsyncDisposable {
  path: string;
  join(...parts: string[]): string;
}

export async function openScratch(name: string): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), `larder-bench-${name}-`));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** One line of the table: what Larder took, and how that compares with peers of the same run. */
export interface Row {
  title: string;
  ours: string;
  peers: readonly string[];
}

export interface Report {
  add(sample: string, ms: number, more?: { peakBytes?: number; parts?: Record<string, number> }): void;
  median(sample: string): number;
  /** Prints the table, or one JSON object, and writes `results/NAME.md`. */
  write(name: string, options: { heading: string[]; rows: Row[]; json: boolean }): Promise<void>;
}

export function createReport(): Report {
  const samples: Record<string, number[]> = {};
  const peaks: Record<string, number> = {};
  const parts: Record<string, Record<string, number[]>> = {};
  const median = (sample: string) => summarise(samples[sample] ?? []).median;

  const describe = ({ title, ours, peers }: Row): string => {
    const compared = peers.map(
      (peer) => `${peer} ${formatSummary(samples[peer] ?? [])}: **${(median(ours) / median(peer)).toFixed(2)} ×**`,
    );
    const memory = [ours, ...peers].flatMap((name) =>
      peaks[name] ? [`${name.split(" ")[0]} ${Math.round(peaks[name] / 1e6)}`] : [],
    );
    const spent = Object.entries(parts[ours] ?? {})
      .map(([part, values]) => [part, summarise(values).median] as const)
      .filter(([part, ms]) => part !== "total" && ms >= 0.5)
      .map(([part, ms]) => `${part} ${ms.toFixed(ms < 10 ? 1 : 0)}`);
    return `| ${title} | ${formatSummary(samples[ours] ?? [])} | ${compared.join("<br>")} | ${memory.join(", ")} | ${spent.join(", ")} |`;
  };

  return {
    add(sample, ms, { peakBytes, parts: spent = {} } = {}) {
      samples[sample] = [...(samples[sample] ?? []), ms];
      if (peakBytes) peaks[sample] = Math.max(peaks[sample] ?? 0, peakBytes);
      const known = parts[sample] ?? {};
      parts[sample] = known;
      for (const [part, partMs] of Object.entries(spent)) known[part] = [...(known[part] ?? []), partMs];
    },
    median,
    async write(name, { heading, rows, json }) {
      const text = [
        ...heading,
        "",
        "| what | Larder | peers, same run: ratio | peak MB | parts, ms |",
        "|---|---|---|---|---|",
        ...rows.map(describe),
      ].join("\n");
      await mkdir(join(import.meta.dir, "results"), { recursive: true });
      await writeFile(join(import.meta.dir, "results", `${name}.md`), `${text}\n`);
      console.log(json ? JSON.stringify({ name, heading, samples, peaks, parts }) : text);
    },
  };
}

export async function fileSystemOf(path: string): Promise<string> {
  const mounts = (await readFile("/proc/mounts", "utf8").catch(() => "")).trim().split("\n");
  const holding = mounts
    .map((line) => line.split(" "))
    .filter(([, point = ""]) => `${path}/`.startsWith(point === "/" ? "/" : `${point}/`));
  return holding.sort(([, a = ""], [, b = ""]) => b.length - a.length)[0]?.[2] ?? "unknown file system";
}
