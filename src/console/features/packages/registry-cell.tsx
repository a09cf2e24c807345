import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { PackageEntry, PackageVersions } from "../../../contract/index.ts";
import { versionsQuery } from "./versions.ts";

type Version = PackageVersions["versions"][number];

/** Long enough that rows which only pass by while one scrolls are not asked for. */
const restMs = 250;

/** One fact that the registry knows of the pinned version; asked for once the row rests on the screen. */
export function RegistryCell({
  entry,
  show,
}: {
  entry: PackageEntry;
  show(pinned: Version, data: PackageVersions): string | undefined;
}) {
  const [rests, setRests] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setRests(true), restMs);
    return () => clearTimeout(timer);
  }, []);
  const { data } = useQuery({ ...versionsQuery(entry.name), enabled: rests });
  const pinned = data?.versions.find(({ version }) => version === entry.version);
  const text = data && pinned && show(pinned, data);
  return (
    <span className="soft truncate cell-text" title={text}>
      {text ?? "–"}
    </span>
  );
}
