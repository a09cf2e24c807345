import { useQuery } from "@tanstack/react-query";
import type { PackageEntry, PackageVersions } from "../../../contract/index.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { formatBytes, formatMoment, formatNumber } from "../../ui/format.ts";
import { Loaded } from "../../ui/loading.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Ago } from "../../ui/time.tsx";
import { versionsQuery } from "./versions.ts";

/** All that is known of one package. */
export function PackageSheet({ entry, onClose }: { entry: PackageEntry; onClose(): void }) {
  const query = useQuery(versionsQuery(entry.name));
  return (
    <Dialog open onClose={onClose} shape="sheet" title={entry.name} description={query.data?.description}>
      <dl className="facts">
        <dt>Pinned</dt>
        <dd className="mono">{entry.version}</dd>
        <dt>On the list</dt>
        <dd>
          <Ago at={entry.addedAt} />, by {entry.addedBy}
        </dd>
        <dt>Scripts may import it</dt>
        <dd>{entry.enabled ? "yes" : "no, it is disabled"}</dd>
      </dl>
      <Loaded query={query}>{(data) => <FromRegistry entry={entry} data={data} />}</Loaded>
    </Dialog>
  );
}

function FromRegistry({ entry, data }: { entry: PackageEntry; data: PackageVersions }) {
  const pinned = data.versions.find(({ version }) => version === entry.version);
  return (
    <>
      {pinned?.deprecated && <Notice tone="warn">Deprecated: {pinned.deprecated}</Notice>}
      {pinned?.hasInstallScript && <Notice>It has an install script, which Larder never runs.</Notice>}
      <dl className="facts">
        <dt>Registry</dt>
        <dd>{data.registry}</dd>
        <dt>Published</dt>
        <dd>{pinned?.publishedAt ? formatMoment(pinned.publishedAt) : "the registry does not say"}</dd>
        <dt>Licence</dt>
        <dd>{pinned?.license ?? "the registry does not say"}</dd>
        <dt>Unpacked</dt>
        <dd>
          {pinned?.unpackedBytes === undefined ? "the registry does not say" : formatBytes(pinned.unpackedBytes)}
          {pinned?.fileCount !== undefined && `, ${formatNumber(pinned.fileCount)} files`}
        </dd>
        <dt>Versions there</dt>
        <dd>
          {formatNumber(data.total)}; latest {data.distTags.latest ?? "unknown"}
        </dd>
      </dl>
    </>
  );
}
