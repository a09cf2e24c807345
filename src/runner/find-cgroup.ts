import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf } from "../lib/index.ts";
import { unescaped } from "./mount-table.ts";
import { killCgroup } from "./run-cgroup.ts";

export interface CgroupPlace {
  /** Where the hierarchy is mounted. */
  mount: string;
  /** The directory for new groups. */
  parent: string;
}

/**
 * A directory in which this process may make control groups that count processes, of version 1 or 2; `undefined` where there is none. On the way the
 * groups of runners that have died are removed, with what still ran there.
 */
export function findCgroups(): CgroupPlace | undefined {
  if (process.platform !== "linux") return undefined;
  const read = (path: string) => readFileSync(path, "utf8");
  try {
    return cgroupPlaces(read("/proc/self/mountinfo"), read("/proc/self/cgroup")).find(isUsable);
  } catch {
    // A kernel without control groups.
    return undefined;
  }
}

/**
 * Where such groups could be made by what is mounted and what this process is in. A group of version 2 that has processes of its own cannot hand on
 * what counts them; the one above can, as with systemd's `Delegate=pids` and `DelegateSubgroup=`. Pure.
 */
export function cgroupPlaces(mountinfo: string, cgroups: string): CgroupPlace[] {
  const places: CgroupPlace[] = [];
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", mountPoint = ""] = before.split(" ");
    const [kind, , options = ""] = after.split(" ");
    const isOld = kind === "cgroup" && options.split(",").includes("pids");
    if (!isOld && kind !== "cgroup2") continue;
    const own = ownGroup(cgroups, isOld);
    if (own === undefined || !`${own}/`.startsWith(root === "/" ? "/" : `${root}/`)) continue;
    const mount = unescaped(mountPoint);
    const path = join(mount, own.slice(root === "/" ? 1 : root.length)).replace(/\/$/, "");
    places.push({ mount, parent: isOld || path === mount ? path : dirname(path) });
  }
  return places;
}

/** Lines are `<number>:<controllers>:<path>`; version 2 names no controllers. */
function ownGroup(cgroups: string, isOld: boolean): string | undefined {
  const lines = cgroups.split("\n").map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line));
  return lines.find((match) => (isOld ? match?.[1]?.split(",").includes("pids") : match?.[1] === ""))?.[2];
}

const prefix = "larder-run-";
let made = 0;

/** A name that says whose it is. */
export const cgroupName = (): string => `${prefix}${process.pid}-${made++}`;

/** By making one: permissions alone do not tell. */
function isUsable({ parent }: CgroupPlace): boolean {
  const trial = join(parent, cgroupName());
  try {
    removeDead(parent);
    handOn(parent);
    mkdirSync(trial);
    writeFileSync(join(trial, "pids.max"), "1");
    const type = join(trial, "cgroup.type");
    return !existsSync(type) || readFileSync(type, "utf8").trim() === "domain";
  } catch {
    return false;
  } finally {
    if (existsSync(trial)) rmdirSync(trial);
  }
}

/** Version 2: children have only what their parent hands on. With processes of its own it would become another kind of group by that. */
function handOn(parent: string): void {
  const [file, type, members] = ["subtree_control", "type", "procs"].map((name) => join(parent, `cgroup.${name}`)) as Three;
  if (!existsSync(file) || readFileSync(file, "utf8").split(/\s/).includes("pids")) return;
  if (existsSync(type) && readFileSync(members, "utf8") !== "") throw new Error(`${parent} has processes of its own`);
  writeFileSync(file, "+pids");
}

type Three = [string, string, string];

function removeDead(parent: string): void {
  for (const name of readdirSync(parent)) {
    const owner = Number(new RegExp(`^${prefix}(\\d+)-\\d+$`).exec(name)?.[1] ?? 0);
    if (owner > 0 && !isAlive(owner)) killCgroup(join(parent, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== "ESRCH";
  }
}
