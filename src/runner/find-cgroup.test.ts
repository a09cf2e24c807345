import { expect, test } from "bun:test";
import { cgroupPlaces } from "./find-cgroup.ts";

test("version 1: below this process's own group of the hierarchy that counts processes", () => {
  const mountinfo = [
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw",
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids",
  ].join("\n");
  const places = (own: string) => cgroupPlaces(mountinfo, `8:pids:${own}\n4:memory:/else\n`);
  expect(places("/")).toEqual([{ mount: "/sys/fs/cgroup/pids", parent: "/sys/fs/cgroup/pids" }]);
  expect(places("/app/larder")).toEqual([{ mount: "/sys/fs/cgroup/pids", parent: "/sys/fs/cgroup/pids/app/larder" }]);
});

test("version 2: beside this process's own group, which has processes and so cannot hand on what counts them", () => {
  const mountinfo = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
  const places = (own: string) => cgroupPlaces(mountinfo, `0::${own}\n`);
  expect(places("/system.slice/larder.service/agent")).toEqual([
    { mount: "/sys/fs/cgroup", parent: "/sys/fs/cgroup/system.slice/larder.service" },
  ]);
  expect(places("/")).toEqual([{ mount: "/sys/fs/cgroup", parent: "/sys/fs/cgroup" }]);
});

test("a part of the hierarchy that is mounted elsewhere, and a group outside of it", () => {
  const mountinfo = "29 23 0:26 /docker/1 /mnt/with\\040space rw - cgroup2 cgroup2 rw";
  expect(cgroupPlaces(mountinfo, "0::/docker/1/agent\n")).toEqual([{ mount: "/mnt/with space", parent: "/mnt/with space" }]);
  expect(cgroupPlaces(mountinfo, "0::/other\n")).toEqual([]);
  expect(cgroupPlaces(mountinfo, "0::/docker/11\n")).toEqual([]);
  expect(cgroupPlaces("", "")).toEqual([]);
});
