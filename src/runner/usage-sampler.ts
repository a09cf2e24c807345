import { ownMemoryBytes, type ProcessEntry, readProcesses } from "./process-table.ts";

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
  /** Calls `onUsage` again and again with what the run led by the process `leader` uses. Linux only; elsewhere never. */
  watch(leader: number, onUsage: (usage: Usage) => void): Watch;
}

/** The soonest look at a run; a look at the whole machine may take a twentieth of the time at most. */
const everyMs = 50;
const shareOfTime = 20;

interface Watched {
  leader: number;
  members: ProcessEntry[];
  onUsage: (usage: Usage) => void;
}

/** One look at the machine's processes for all runs together. */
export function createUsageSampler(): UsageSampler {
  const watched = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;

  const look = () => {
    const startedAt = performance.now();
    const table = readProcesses();
    const childrenOf = byParent(table);
    for (const run of watched) {
      run.members = membersOf(run, table, childrenOf);
      run.onUsage(usageOf(run.members));
    }
    timer = undefined;
    if (watched.size > 0) schedule((performance.now() - startedAt) * shareOfTime);
  };
  const schedule = (leastMs: number) => {
    timer ??= setTimeout(look, Math.max(everyMs, leastMs));
  };

  return {
    watch(leader, onUsage) {
      const run: Watched = { leader, members: [], onUsage };
      if (process.platform === "linux") {
        watched.add(run);
        schedule(0);
      }
      return {
        members: () => run.members,
        end() {
          watched.delete(run);
          if (watched.size > 0) return;
          clearTimeout(timer);
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
