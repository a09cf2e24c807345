import { signalGroup } from "./kill-processes.ts";
import { countThreads, ownMemoryBytes, type ProcessEntry, readProcesses } from "./process-table.ts";

/** What one run uses just now, with everything that it started. */
export interface Usage {
  processes: number;
  memoryBytes: number;
  cpuMs: number;
}

export interface Watch {
  /** The run's processes as they were last seen. */
  members(): readonly ProcessEntry[];
  end(): void;
}

export interface UsageSampler {
  /**
   * Calls `onUsage` again and again with what the run led by the process `leader` uses. Linux only; elsewhere never. When the machine's threads
   * have become more by `suspicious` of them since the last look, the runs' processes are counted where that is quick, and those of the other runs
   * stand still during the next look.
   */
  watch(leader: number, options: WatchOptions): Watch;
}

export interface WatchOptions {
  suspicious: number;
  /** How many processes the run has, if the kernel can say so without a look at all processes of the machine. */
  count?: (() => number) | undefined;
  /** Whether that is too many: the run is being ended then. */
  onCount(processes: number): boolean;
  onUsage(usage: Usage): void;
}

/** The soonest full look, and the latest: one may take a twentieth of the time, as far as that leaves limits their meaning on a busy machine. */
const everyMs = 50;
const atLatestMs = 1000;
const shareOfTime = 20;
/** Between two quick ones. What starts itself again and again doubles about every millisecond until the processors are full. */
const glanceMs = 10;
/** A look may come late, or last, when others want the processors too. */
const countEveryMs = 200;

/** What a runtime has at most that does nothing special. */
const threadsEach = 32;

interface Watched extends WatchOptions {
  leader: number;
  members: ProcessEntry[];
}

/** One look at the machine's processes for all runs together. */
export function createUsageSampler(): UsageSampler {
  const watched = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;
  let threads = 0;
  let lookAt = 0;
  let countAt = 0;

  /** Among thousands that run this process hardly gets any time: a look that begins just before they do would last until they have ended. */
  const isSuspicious = () => {
    const suspicious = Math.min(...[...watched].map((run) => run.suspicious)) + threadsEach * watched.size;
    return countThreads() - threads > suspicious;
  };

  const look = ({ patient }: { patient: boolean }) => {
    const startedAt = performance.now();
    const table = readProcesses(patient ? undefined : isSuspicious);
    if (table === undefined) return;
    const childrenOf = byParent(table);
    for (const run of watched) {
      run.members = membersOf(run, table, childrenOf);
      run.onUsage(usageOf(run.members));
    }
    threads = countThreads();
    const endedAt = performance.now();
    lookAt = endedAt + Math.min(atLatestMs, Math.max(everyMs, (endedAt - startedAt) * shareOfTime));
  };

  /** Whether there was a run that has too many. */
  const count = (): boolean => {
    countAt = performance.now() + countEveryMs;
    return [...watched].map((run) => run.count && run.onCount(run.count())).includes(true);
  };

  const glance = () => {
    const suspicious = isSuspicious();
    if ((suspicious || performance.now() >= countAt) && count()) return;
    if (!suspicious) {
      if (performance.now() >= lookAt) look({ patient: false });
      return;
    }
    const standing = [...watched].filter((run) => run.count === undefined);
    for (const { leader } of standing) signalGroup(leader, "SIGSTOP");
    look({ patient: true });
    for (const { leader } of standing) signalGroup(leader, "SIGCONT");
  };

  return {
    watch(leader, options) {
      const run: Watched = { ...options, leader, members: [] };
      if (process.platform === "linux") {
        if (watched.size === 0) {
          threads = countThreads();
          lookAt = performance.now() + everyMs;
          countAt = performance.now() + countEveryMs;
        }
        watched.add(run);
        timer ??= setInterval(glance, glanceMs);
      }
      return {
        members: () => run.members,
        end() {
          watched.delete(run);
          if (watched.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      };
    },
  };
}

function byParent(table: readonly ProcessEntry[]): Map<number, ProcessEntry[]> {
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of table) {
    const siblings = children.get(entry.parent);
    if (siblings) siblings.push(entry);
    else children.set(entry.parent, [entry]);
  }
  return children;
}

/** The leader, its group and session, who was a member before, and all their descendants. */
function membersOf(run: Watched, table: ProcessEntry[], childrenOf: Map<number, ProcessEntry[]>): ProcessEntry[] {
  const known = new Map(run.members.map(({ pid, startedAt }) => [pid, startedAt]));
  const { leader } = run;
  const found = new Map<number, ProcessEntry>();
  const queue = table.filter(
    ({ pid, group, session, startedAt }) =>
      pid === leader || group === leader || session === leader || known.get(pid) === startedAt,
  );
  for (let entry = queue.pop(); entry; entry = queue.pop()) {
    if (found.has(entry.pid)) continue;
    found.set(entry.pid, entry);
    queue.push(...(childrenOf.get(entry.pid) ?? []));
  }
  return [...found.values()];
}

const usageOf = (members: readonly ProcessEntry[]): Usage => ({
  processes: members.filter(({ zombie }) => !zombie).length,
  memoryBytes: members.reduce((sum, { pid }) => sum + ownMemoryBytes(pid), 0),
  cpuMs: members.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
});
